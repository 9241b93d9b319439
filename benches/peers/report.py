"""The results of bench.py as Markdown tables and a chart."""

import datetime
import os
import pathlib
import platform
import statistics

# A server that uses more than this part of its core is marked: its latency is that of its queue.
SATURATED_PERCENT = 97.0
# A run is marked as lossy below this part of the expected deliveries, which are a mean over random choices.
LOSSY = 0.97

TITLES = {"tapecast": "Tapecast", "nats": "nats-server", "nchan": "nginx, nchan", "mosquitto": "mosquitto", "ws": "`ws`"}


def added(earlier: dict, results: dict) -> dict:
    """The rounds of two runs; of a scenario in both, the servers in both."""
    sums = {}
    for scenario in {**earlier, **results}:
        one, other = earlier.get(scenario, {}), results.get(scenario, {})
        names = [name for name in (one or other) if name in (other or one)]
        sums[scenario] = {name: one.get(name, []) + other.get(name, []) for name in names}
    return sums


def median_of(runs: list[dict], key: str) -> float:
    return statistics.median(each[key] for each in runs)


def ratios(runs: list[dict], reference: list[dict], key: str) -> list[float]:
    return [one[key] / other[key] for one, other in zip(runs, reference, strict=True) if other[key] > 0]


def ratio_text(values: list[float]) -> str:
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def notes(runs: list[dict]) -> str:
    """What a reader must know of a server's runs."""
    found = []
    if median_of(runs, "cpu_percent") > SATURATED_PERCENT:
        found.append("its core is saturated")
    if median_of(runs, "delivered") < LOSSY:
        found.append(f"delivers {median_of(runs, 'delivered') * 100:.0f} % of the updates")
    if missing := sum(each["missing"] for each in runs):
        found.append(f"{missing} updates missing")
    if closed := sum(each["closed"] for each in runs):
        found.append(f"{closed} sessions closed")
    if any(each["client_saturated"] for each in runs):
        found.append("the client's core is saturated")
    return "; ".join(found)


def table(results: dict, texts: dict) -> str:
    """One Markdown table per scenario."""
    text = ""
    for scenario, by_peer in results.items():
        reference = by_peer["tapecast"]
        text += f"**{scenario}**: {texts[scenario]}\n\n"
        text += "| server | updates/s | per frame | bytes per update | CPU per update | CPU beside Tapecast | p50 | p99 | p99 beside Tapecast | memory per session | remarks |\n"
        text += "|---|---|---|---|---|---|---|---|---|---|---|\n"
        for peer, runs in by_peer.items():
            def middle(key: str, runs: list[dict] = runs) -> float:
                return median_of(runs, key)

            beside = [ratio_text(ratios(runs, reference, key)) if peer != "tapecast" else "1" for key in ("cpu_us", "p99_ms")]
            text += (
                f"| {TITLES[peer]} | {middle('updates_per_s'):,.0f} | {middle('updates_per_frame'):.1f} | {middle('bytes_per_update'):.0f} B "
                f"| {middle('cpu_us'):.2f} µs | {beside[0]} | {middle('p50_ms'):.2f} ms | {middle('p99_ms'):.2f} ms | {beside[1]} "
                f"| {middle('kib_per_session'):.1f} KiB | {notes(runs)} |\n"
            )
        text += "\n"
    return text


def verdict(results: dict) -> str:
    """Where another server that delivers everything is better by the medians of the ratios, in sentences."""
    lines = []
    names = {"cpu_us": "CPU per update", "p50_ms": "median latency", "p99_ms": "p99 latency", "kib_per_session": "memory per session", "bytes_per_update": "bytes per update"}
    for scenario, by_peer in results.items():
        better = []
        for key, name in names.items():
            for peer, runs in by_peer.items():
                values = ratios(runs, by_peer["tapecast"], key) if peer != "tapecast" else []
                if median_of(runs, "delivered") >= LOSSY and values and statistics.median(values) < 0.95:
                    better.append(f"{TITLES[peer]} in {name} ({statistics.median(values):.2f})")
        lines.append(f"- `{scenario}`: {', '.join(better) if better else 'none'}.")
    return "Better than Tapecast by more than 5 %, of those that deliver everything:\n\n" + "\n".join(lines) + "\n"


def conditions(versions_of: dict, seconds: int, results: dict) -> str:
    rounds = " or ".join(sorted({str(len(runs["tapecast"])) for runs in results.values()}))
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?")
    versions = ", ".join(f"{TITLES[name].strip('`').split(',')[0]} {version}" for name, version in versions_of.items())
    return (
        "| condition | value |\n|---|---|\n"
        f"| date | {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d} |\n"
        f"| machine | {os.cpu_count()} cores of {model}, Linux {platform.release()} |\n"
        f"| versions | {versions} |\n"
        f"| runs | {rounds} rounds, {seconds} s each after 2 s of warm-up; medians, ratios of one round with the lowest and highest |\n\n"
    )


def chart(results: dict) -> str:
    """Bars of the CPU per update, one group per scenario, each to its own scale."""
    width, label, value, bar, gap = 720, 130, 110, 14, 18
    lines, y = [], 30
    for scenario, by_peer in results.items():
        medians = {peer: median_of(runs, "cpu_us") for peer, runs in by_peer.items()}
        lines.append(f'<text x="0" y="{y + 8}" font-weight="600">{scenario}</text>')
        y += 16
        for peer, cost in medians.items():
            length = (width - label - value) * cost / max(medians.values())
            colour = "#3b82f6" if peer == "tapecast" else "#9aa1ab"
            lines.append(
                f'<text x="12" y="{y + bar - 3}">{TITLES[peer].strip("`")}</text>'
                f'<rect x="{label}" y="{y}" width="{length:.1f}" height="{bar}" rx="2" fill="{colour}"/>'
                f'<text x="{label + length + 8:.1f}" y="{y + bar - 3}">{cost:.2f} µs</text>'
            )
            y += bar + 4
        y += gap
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="system-ui, sans-serif" font-size="12" fill="#7a828e">\n'
        '<text x="0" y="14">server CPU time per delivered update, each scenario to its own scale</text>\n'
    )
    return head + "\n".join(lines) + "\n</svg>\n"
