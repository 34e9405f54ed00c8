"""Lets several processes make one run and come to its numbers: the same batches, gradients, lists and tables.

- ``group`` has what the processes do together: sums, lists of all, and what the first one finds out for all;
- ``launch`` starts them for ``--nproc``, or takes those that torchrun has started;
- ``layers`` and ``gradients`` train on a part of each batch as if it were the whole;
- ``users`` shares the users of an evaluation out.

Every process runs the same program from beginning to end. The first one alone writes.
"""
