/** Words that decide how a condition found in text is taken: data, kept apart from the finder that reads it. */

/** Conditions that go on once they are there: "history of hypertension" is hypertension, "history of pneumonia" is past. */
export const lasting =
  /^(?!.*(?:gestational|post-?(?:natal|partum)|pregnancy|pre-?eclamp|childhood|infantile|neonatal|acute (?!on\b)|febrile|viral|transient|reactive|septic|reversible|drug.induced|steroid.induced)).*(?:hypertens|diabet|asthma|\bcopd\b|chronic|heart failure|cardiac failure|\bchf\b|\bccf\b|fibrillation|\baf\b|\bafib\b|osteoarth|arthritis|osteopor|osteopenia|lipid|cholesterol|triglycerid|hypothyroid|hyperthyroid|hashimoto|graves|epilep|parkinson|dementia|alzheimer|multiple sclerosis|coronary|isch(?:a)?emic heart|\bcad\b|\bihd\b|\bckd\b|schizo|bipolar|psoria|eczema|coeliac|celiac|crohn|ulcerative colitis|inflammatory bowel|reflux|\bgord\b|\bgerd\b|obes|sleep apn|\bosa\b|glaucoma|cirrhosis|hepatitis [bc]|\bhiv\b|\bgout\b|migraine|metabolic syndrome|prediabet|peripheral (?:vascular|arterial)|\bpvd\b|lupus|fibromyalg|emphysema|bronchiectasis|macular degeneration|cancer|carcinoma|lymphoma|leuk(?:a)?emia|myeloma|melanoma|metasta|haemophilia|hemophilia|thalass|sickle|autis|\badhd\b|cardiomyopath|valve|aneurysm|neuropath|retinopath|nephropath|cystic fibrosis|depress|anxiety|allergic rhinitis|hay fever|irritable bowel|\bibs\b|down('s)? syndrome|cerebral palsy|\bmgus\b|\bbph\b|prostatic hyper|enlarged prostate|hiat(?:us|al) hernia|varicose|kidney disease|renal (?:disease|insufficiency|impairment)|regurgitation|stenosis|spondyl|scolio|degenerat|endometriosis|polycystic|\bpcos\b|dyslexia|intellectual|asperger|\bptsd\b|post-?traumatic stress|\bocd\b|obsessive|personality disorder|dependence|addiction|parathyroid|addison|cushing|acromegal|deaf|hearing loss|tinnitus|blindness|vitiligo|rosacea|lichen|sarcoid|sclero|sjogren|ankylos|polymyalgia|vasculit|myasthenia|motor neurone|huntington|restless leg|narcolep|incontinence|overactive bladder|fibrosis|heart block|thrombophil|leiden|antiphosph|willebrand|trisomy|syndrome x|learning (?:disab|difficult)|ischa?emic cardio)/i

/** What stands right behind a condition when the words name a service, a test or a plan about it and not the condition. */
export const notCondition =
  /^\s*(?:clinic|centre|center|unit|department|ward|foundation|society|nurse|educator|association|service|specialist|surgeon|team|registry|australia|council|institute|management plan|care plan|education|screen(?:ing)?|score|risk|medication|medicine|diet|vaccin|immuni|prophylaxis|ppx|outbreak|exposure|contacts?\b|cluster|prophylactic\w*|immun(?:e|ity)\b|status|titre|titer|igg|igm|awareness|leaflet|handout|fact sheet|information|precaution|prevention|questionnaire|assessment|history|action plan|review|counsell?ing|program|group|antibod|antigen|serology|pcr|culture|panel|markers?|levels?|test(?:s|ing)?|swab|toxicity)\b/i

export const severityBefore =
  /^(?:acute|chronic|mild|moderate|severe|small|large|tiny|trace|right|left|bilateral|recurrent|persistent|early|advanced|end-?stage|stable|unstable|moderately|mildly|severely|subacute|low|high|grade|invasive|metastatic|postoperative|post-?operative|primary|secondary|uncontrolled|poorly|well|controlled|accelerated|perennial|seasonal|intermittent|focal|diffuse|multifocal|old|new|worsening|resolving|superficial|deep|proximal|distal|upper|lower|medial|lateral|non-?displaced|displaced|closed|open|subjective|productive|dry|night|gross|generali[sz]ed|viral|bacterial|streptococcal|diabetic|alcoholic)$/i

export const lateralityWords = /\b(right|left|bilateral)\b/i

/** A list item of these words names no condition. */
export const emptyItem =
  /^(?:nil|none|no|n\/?a|as above|see|other|others|unknown|not |unremarkable|non-?contributory|significant|negative|reviewed|stable|date|onset|problem|condition|diagnosis|diagnoses|status|active|inactive|resolved|current|past|comment|notes?|page|end of|continued)\b[^a-z]*(?:(?:significant|known|relevant|attached|list|above|below|of note|history|medical|issues|problems|applicable)\b[^a-z]*)*$/i

/** Words of a sentence: an item with one of them is read as prose. */
export const proseWords =
  /\b(?:is|was|were|are|has|had|have|been|who|which|that|he|she|they|his|her|him|their|i|we|patient|pt|denies|denied|reports?|reported|states|treated|presents|presented|presenting|not|please|thank|will|would|should|may|could|if|today|underwent|received|admitted|discharged|consider|continue|review|advised|discussed|likely|possible|probable|suspected|mother|father|brother|sister|shows?|showed|seen|noted)\b/i

/** Everyday words that are conditions in the table; in a sentence they mean too many other things. */
export const tooPlain =
  /^(?:stress|shock|fits?|fall|cold|injury|illness|viral illness|lesion|mass|infection|sprain|disability|carer|pregnan(?:t|cy)|menopause|snoring|weight)$/i
