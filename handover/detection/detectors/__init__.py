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
    gps,
    health,
    iban,
    imei,
    ip,
    landline,
    mac,
    mobile,
    passport,
    person_name,
    phone,
    plate,
    qq,
    religion,
    resident_id,
    travel_permit,
    us_ssn,
    uscc,
    vin,
    wechat,
)
from handover.detection.spans import Level

DETECTORS: tuple[ModuleType, ...] = (
    resident_id,
    passport,
    travel_permit,
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
    vin,
    ip,
    mac,
    imei,
    gps,
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
