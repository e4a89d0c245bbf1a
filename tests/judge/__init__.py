"""The modules that judge, each by itself: what mutation found untested (see ``docs/mutants.md``) is tested here."""
