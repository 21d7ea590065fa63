"""Five students' reports on backpropagation and small networks, reproduced.

    python -m examples.reports.r000 [--quick | --full] [--seeds 3] [--data FOLDER]

Each of r000 ... r004 trains the models of one report, draws its figures, writes its derivations
and judges every number against what the report printed; `report.md` in out/reports/00N says how
it went, row by row. Runs that are finished are kept there and not repeated; a run that was
interrupted goes on where it was.
"""
