"""The record of a run beside its checkpoint, for programs and for people, and the table of several runs."""
