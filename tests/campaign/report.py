"""The result of a campaign: on standard output, and as a table for the documentation.

    tests/campaign/report.py FIGURES PAGE
"""

import json
import pathlib
import statistics
import sys

LIE = 2.0
NAMES = ['lost', 'doubled', 'stale', 'wrong no', 'refused', 'not healed', 'late', '500', 'no Retry-After', 'ready',
         'audit', 'stop', 'command']


def show(options, ledger, figures, seconds):
    count = sum(map(len, figures.values()))
    print(f'\n{options.database}, seed {options.seed}: {count} faults')
    for kind, times in sorted(figures.items()):
        print(f'{kind:18} n {len(times):2}  median {statistics.median(times):5.2f} s  worst {max(times):5.2f} s')
    print(f'acknowledged: {len(ledger.tokens)} tokens, {len(ledger.revoked)} revocations, {len(ledger.devices)} '
          f'device grants, {ledger.flows} sign-ins of devices')
    print('answers:', dict(sorted((k, v) for k, v in ledger.counts.items() if k.startswith('status'))))
    print(f'slowest answer {ledger.slowest:.2f} s')
    print(', '.join(f'{name} {ledger.counts[name]}' for name in NAMES))
    for text in ledger.violations[:40]:
        print('VIOLATION', text)
    if options.figures:
        add_figures(options, ledger, figures)
    verdict(count, len(ledger.violations), seconds)


def verdict(count, failures, seconds):
    """As unittest writes it, for tests/run."""
    print(f'Ran {count} tests in {seconds:.0f}s')
    print(f'FAILED (failures={min(failures, count)})' if failures else 'OK')


def add_figures(options, ledger, figures):
    """Adds the figures of this run to a file."""
    runs = json.loads(options.figures.read_text()) if options.figures.exists() else []
    runs.append({'database': options.database, 'seed': options.seed, 'figures': figures,
                 'acknowledged': [len(ledger.tokens), len(ledger.revoked), len(ledger.devices), ledger.flows],
                 'violations': {name: ledger.counts[name] for name in NAMES}})
    options.figures.write_text(json.dumps(runs))


def table(runs):
    """All runs as a table in Markdown."""
    lines = ['| database | fault | count | median s | worst s |', '|---|---|---|---|---|']
    for database in sorted({run['database'] for run in runs}):
        all_times = {}
        for run in runs:
            if run['database'] == database:
                for kind, times in run['figures'].items():
                    all_times.setdefault(kind, []).extend(times)
        for kind, times in sorted(all_times.items()):
            median, worst = statistics.median(times), max(times)
            lines.append(f'| {database} | {kind.replace("_", " ")} | {len(times)} | {median:.2f} | {worst:.2f} |')
    seeds = ', '.join(f"{run['database']} {run['seed']}" for run in runs)
    tokens, revocations, grants, flows = map(sum, zip(*(run['acknowledged'] for run in runs)))
    found = ', '.join(f"{name} {sum(run['violations'].get(name, 0) for run in runs)}" for name in NAMES)
    lines += ['', f'Seeds: {seeds}. Acknowledged: {tokens} tokens, {revocations} revocations, {grants} device grants,',
              f'{flows} sign-ins of devices.', '', f'Violations: {found}.']
    return '\n'.join(lines)


def main():
    """Writes the table of a file with figures between the markers of a page."""
    figures, page = map(pathlib.Path, sys.argv[1:])
    begin, end = '<!-- generated: faults -->\n', '<!-- end -->'
    text = page.read_text()
    before, rest = text.split(begin)
    page.write_text(f'{before}{begin}\n{table(json.loads(figures.read_text()))}\n\n{end}{rest.split(end)[1]}')


if __name__ == '__main__':
    main()
