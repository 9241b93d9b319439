//! The figures as a picture: CPU for each update, the server's bar under the floor's.

use std::fmt::Write;

use super::figures::median;
use super::outcome::Outcome;

const WIDTH: f64 = 720.0;
const LABELS: f64 = 110.0;
const FIGURES: f64 = 190.0;
const BAR: f64 = 12.0;
const GROUP: f64 = 40.0;

/// An SVG of the scenarios that ran beside the floor; readable on light and on dark ground.
pub(crate) fn draw(outcomes: &[Outcome]) -> String {
    let beside: Vec<_> = outcomes.iter().filter(|outcome| outcome.floors().next().is_some()).collect();
    let height = GROUP * beside.len() as f64 + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#7a828e\">\n\
         <text x=\"0\" y=\"14\">server CPU for each update delivered: the floor (grey), Tapecast (blue)</text>\n"
    );
    for (number, outcome) in beside.iter().enumerate() {
        let floor = median(outcome.floors().map(|run| run.cpu_us_per_update));
        let server = median(outcome.servers().map(|run| run.cpu_us_per_update));
        let longest = floor.max(server);
        let top = 30.0 + GROUP * number as f64;
        let mut bar = |y: f64, value: f64, colour: &str| {
            let width = (WIDTH - LABELS - FIGURES) * value / longest;
            let text = LABELS + width + 8.0;
            let baseline = y + BAR - 2.0;
            writeln!(
                svg,
                "<rect x=\"{LABELS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>\
                 <text x=\"{text:.1}\" y=\"{baseline}\">{value:.2} µs</text>"
            )
            .expect("writing to a string does not fail");
        };
        bar(top, floor, "#9aa1ab");
        bar(top + BAR + 2.0, server, "#3b82f6");
        writeln!(svg, "<text x=\"0\" y=\"{}\">{}</text>", top + BAR + 4.0, outcome.name)
            .expect("writing to a string does not fail");
    }
    svg + "</svg>\n"
}
