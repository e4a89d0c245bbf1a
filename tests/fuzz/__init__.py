"""Fuzzing: whatever comes in, an answer or one of our own errors comes out, in bounded time and memory.

Each module below ``targets`` holds one property as ``check(data)``, which raises for a violation and for nothing else.
``corpus`` has seeds for each, among them what was found.  ``tests/test_fuzz_corpus.py`` replays them in every test run;
``python -m tests.fuzz`` (``tox -e fuzz``) lets atheris look for more, guided by the code that is reached.
"""
