# Every target sets up what it needs on a fresh Debian with python3, make and git; a second run starts at once.
PYTHON = .venv/bin/python
HANDOVER = .venv/bin/handover

.PHONY: demo test test-thorough e2e screenshots lint bench fuzz soak serve format lock setup vendor vendor-check kernel

setup:
	@sh scripts/setup.sh

demo: setup
	$(HANDOVER) demo

serve: setup
	@[ -d handover-data ] || $(HANDOVER) init --admin admin@example.org
	$(HANDOVER) serve --host localhost

# Three processes on two cores: many tests wait for a server, a worker or a timer, and the others have the cores meanwhile.
test: setup
	$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/e2e -m "not thorough"

# What repeats a rule of `make test` in more places and takes long; CI runs both.
test-thorough: setup
	$(PYTHON) -m pytest -n 2 --ignore tests/e2e -m thorough --timeout 900

# Real browsers; installs Debian's Chromium.
e2e: setup
	@sh scripts/setup.sh browser
	$(PYTHON) -m pytest tests/e2e -n 2 --dist loadfile --timeout 900

# The pictures of README and docs/portal.md, taken anew.
screenshots: setup
	@sh scripts/setup.sh browser
	PYTHONPATH=. $(PYTHON) scripts/screenshots.py

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

fuzz: setup
	HANDOVER_FUZZ_EXAMPLES=100 $(PYTHON) -m pytest tests/api -k schema --timeout 3600

soak: setup
	$(PYTHON) benchmarks/soak.py

bench: setup
	@sh scripts/setup.sh browser
	$(PYTHON) -m benchmarks.packages
	$(PYTHON) benchmarks/redaction.py
	$(PYTHON) benchmarks/pages.py
	$(PYTHON) benchmarks/upload.py
	$(PYTHON) -m benchmarks.s3
	PYTHONPATH=. $(PYTHON) benchmarks/browser.py

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: setup
	.venv/bin/pip install -q uv
	.venv/bin/uv pip compile pyproject.toml --extra server --extra names --extra ocr --extra s3 --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.lock

vendor:
	rm -rf handover/web/static/vendor
	scripts/vendor/build.sh handover/web/static/vendor

kernel:
	scripts/kernel/build.sh

vendor-check:
	scripts/vendor/check.sh
