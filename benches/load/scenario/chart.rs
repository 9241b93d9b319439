//! The results as a bar chart: CPU time per update of the reference and of the server.

use std::fmt::Write;

use super::metrics::median;
use super::result::{ReferenceKind, ScenarioResult};

const WIDTH: f64 = 720.0;
const LABEL_WIDTH: f64 = 110.0;
const VALUE_WIDTH: f64 = 190.0;
const BAR: f64 = 12.0;
const GROUP: f64 = 40.0;

/// Draws an SVG of the scenarios that have updates and a reference; readable on light and dark backgrounds.
pub(crate) fn draw(results: &[ScenarioResult]) -> String {
    let groups: Vec<_> = results.iter().filter_map(group).collect();
    let reference = results.iter().find_map(|result| result.reference).map_or("", ReferenceKind::name);
    let height = GROUP * groups.len() as f64 + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#7a828e\">\n\
         <text x=\"0\" y=\"14\">server CPU time per delivered update: {reference} (grey), Tapecast (blue)</text>\n"
    );
    for (number, (name, reference, server)) in groups.into_iter().enumerate() {
        let longest = reference.max(server);
        let top = 30.0 + GROUP * number as f64;
        let mut bar = |y: f64, value: f64, colour: &str| {
            let width = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value / longest;
            let text = LABEL_WIDTH + width + 8.0;
            let baseline = y + BAR - 2.0;
            writeln!(
                svg,
                "<rect x=\"{LABEL_WIDTH}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>\
                 <text x=\"{text:.1}\" y=\"{baseline}\">{value:.2} µs</text>"
            )
            .expect("writing to a string does not fail");
        };
        bar(top, reference, "#9aa1ab");
        bar(top + BAR + 2.0, server, "#3b82f6");
        writeln!(svg, "<text x=\"0\" y=\"{}\">{name}</text>", top + BAR + 4.0)
            .expect("writing to a string does not fail");
    }
    svg + "</svg>\n"
}

/// The name of a scenario and the medians of both sides; `None` without updates or without a reference.
fn group(result: &ScenarioResult) -> Option<(&'static str, f64, f64)> {
    let reference = median(result.references().map(|run| run.cpu_us_per_update));
    let server = median(result.servers().map(|run| run.cpu_us_per_update));
    (reference.is_finite() && server.is_finite()).then_some((result.name, reference, server))
}
