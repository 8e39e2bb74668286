.PHONY: run
