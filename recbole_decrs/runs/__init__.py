"""Records a run beside its checkpoint, for programs and for people, and makes the table of several runs."""
