"""One file per kind: `KIND`, `LEVEL`, `VERSION`, `WINDOW`, `find(text)` and examples that one test runs.

`WINDOW` says what the scanner must hand in: `digits` detectors see only the surroundings of digit runs,
`whole` detectors the whole text. `find` gets text that was folded (`folding`), positions unchanged.
"""

from types import ModuleType

from handover.detection.detectors import (
    address,
    bank_card,
    birth_date,
    credential,
    credit,
    criminal,
    email,
    health,
    iban,
    ip,
    landline,
    mobile,
    person_name,
    phone,
    plate,
    qq,
    religion,
    resident_id,
    us_ssn,
    uscc,
    wechat,
)
from handover.detection.spans import Level

DETECTORS: tuple[ModuleType, ...] = (
    resident_id,
    mobile,
    landline,
    phone,
    email,
    wechat,
    qq,
    person_name,
    address,
    bank_card,
    iban,
    uscc,
    plate,
    ip,
    birth_date,
    credential,
    health,
    religion,
    criminal,
    credit,
    us_ssn,
)

#: Sensitivity of each kind (the project's scheme over PIPL art. 28 and GB/T 45574).
LEVELS: dict[str, Level] = {detector.KIND: detector.LEVEL for detector in DETECTORS}
