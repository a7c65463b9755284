"""Runs the corpus' own scorers on two outputs and adds the harm counters. score.py CORPUS STRANGERS FACTS.json NEGATION.json -> JSON"""

import collections
import json
import os
import sys

corpus, strangers, facts_file, negation_file = sys.argv[1:5]
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


def traps_of(rows, traps):
    """Asserted, although the document says it of somebody else, or of nobody: an offer, a risk, an instruction, a test not done."""
    count = collections.Counter()
    for kind, gold, out, _ in rows:
        if out is None or scorer.nstatus(out) in ("negated", "family", "planned", "uncertain"):
            continue
        if kind == "gold" and not gold.get("optional"):
            continue
        for trap in traps:
            if scorer.sim1(trap["text"], out.get("text") or "") < 0.75:
                continue
            if kind == "gold" and scorer.pol(scorer.nstatus(gold)) == "A" and scorer.nstatus(gold) != "planned":
                continue
            count["said_of_others" if trap["why"] == "other person" else "never_so"] += 1
            break
    return count


output = {}
truths = {t["doc"]: t for t in scorer.load_truth(os.path.join(corpus, "truth")) if "facts" in t}
truths |= {t["doc"]: t for t in scorer.load_truth(os.path.join(strangers, "truth"))}
for group, documents in json.load(open(facts_file, encoding="utf-8")).items():
    tally, rows, traps = scorer.Tally(), [], collections.Counter()
    for document in documents:
        truth = truths[document["doc"]]
        found = scorer.score_doc(truth, document)
        tally.add(document["doc"], found)
        rows += found
        traps += traps_of(found, truth.get("traps", []))
    output[group] = {**tally.result(), "documents": len(documents), "harm": {**harm_of(rows), **traps}}

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
