# The few commands a newcomer needs. Each is a thin line over cargo; `cargo xtask` has the rest.

CARGO ?= cargo
LISTEN ?= 127.0.0.1:8080
DATA ?= data/demo

.PHONY: run test check bench lab

# A server with the demo's small world; it prints credentials and addresses for each dialect.
run:
	$(CARGO) build --profile demo --package meetme
	target/demo/meetme serve --demo --data $(DATA) --listen $(LISTEN)

# Everything: what the tests need from the system, then every check, the tests last. Both stores are tested in one run.
test:
	tests/install/debian.sh
	$(CARGO) xtask check

# The same without touching the system.
check:
	$(CARGO) xtask check

# The measurements, on an optimised build.
bench:
	$(CARGO) xtask bench
	$(CARGO) run --quiet --release --package meetme-app --example render

# The tests against real daemons and machines, one at a time, the long ones too.
lab:
	MEETME_LAB_LONG=1 $(CARGO) xtask lab
