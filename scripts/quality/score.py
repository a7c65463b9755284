"""Runs the corpus' own scorers on two outputs and adds the harm counters. score.py CORPUS FACTS.json NEGATION.json -> JSON"""

import collections
import json
import os
import sys

corpus, facts_file, negation_file = sys.argv[1:4]
sys.path.insert(0, os.path.join(corpus, "score"))
import score_facts as scorer  # noqa: E402


def harm_of(rows):
    """What must be 0: a denial or a relative's illness asserted of the patient, another unit, another date."""
    count = collections.Counter()
    for kind, gold, out, info in rows:
        if kind == "extra" and info["asserts_negated"]:
            count["denied_asserted"] += 1
        if kind != "gold" or out is None or gold.get("optional"):
            continue
        wanted, said = scorer.pol(scorer.nstatus(gold)), scorer.pol(scorer.nstatus(out))
        count["denied_asserted"] += wanted == "N" and said == "A"
        count["wrong_person"] += (wanted == "F") != (said == "F") and wanted != "N"
        if wanted != said:
            continue
        count["wrong_unit"] += info["unit"] is False and bool(out.get("unit"))
        count["wrong_date"] += info["date"] is False and bool(out.get("date"))
        count["wrong_value"] += info["value"] is False and bool(out.get("value"))
        count["missing_unit"] += info["unit"] is False and not out.get("unit")
        count["missing_date"] += info["date"] is False and not out.get("date")
    return dict(count)


output = {}
truths = {t["doc"]: t for t in scorer.load_truth(os.path.join(corpus, "truth")) if "facts" in t}
for group, documents in json.load(open(facts_file, encoding="utf-8")).items():
    tally, rows = scorer.Tally(), []
    for document in documents:
        found = scorer.score_doc(truths[document["doc"]], document)
        tally.add(document["doc"], found)
        rows += found
    output[group] = {**tally.result(), "documents": len(documents), "harm": harm_of(rows)}

negation = {}
gold = [json.loads(line) for line in open(os.path.join(corpus, "negation", "negation.jsonl"), encoding="utf-8") if line.strip()]
said = {entry["id"]: entry for entry in json.load(open(negation_file, encoding="utf-8"))}
for half in sorted({entry["half"] for entry in said.values()}):
    chosen = [sentence for sentence in gold if said[sentence["id"]]["half"] == half]
    right = sum((scorer.nstatus(said[s["id"]]) == "negated") == (s["negation"] == "negated") for s in chosen)
    recall = {}
    for status in ("negated", "historical", "family"):
        wanted = [s for s in chosen if s["status"] == status]
        hit = sum(scorer.nstatus(said[s["id"]]) == status for s in wanted)
        recall[status] = [hit, len(wanted)]
    emitted = sum(scorer.nstatus(said[s["id"]]) == "negated" for s in chosen)
    true = recall["negated"][0]
    negation[half] = {"sentences": len(chosen), "right": right, "emitted": emitted, "true": true, "recall": recall}
print(json.dumps({"facts": output, "negation": negation}))
