//! The two text formats of Prometheus, and the choice between them.

/// A text format for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpositionFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Text,
}

impl ExpositionFormat {
    /// The format for a request with this `Accept` header: OpenMetrics if the header names it and does not
    /// prefer text.
    pub fn negotiate(accept: &str) -> Self {
        let quality = |wanted: &str| {
            let ranges = accept.split(',').map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let media_type = parts.next().unwrap_or_default();
                let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
                (media_type, quality.unwrap_or(1.0))
            });
            let named = ranges.filter(|(media_type, _)| media_type.eq_ignore_ascii_case(wanted));
            named.map(|(_, quality)| quality).fold(0.0, f32::max)
        };
        let open_metrics = quality("application/openmetrics-text");
        match open_metrics > 0.0 && open_metrics >= quality("text/plain") {
            true => Self::OpenMetrics,
            false => Self::Text,
        }
    }

    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Translates OpenMetrics into the text format 0.0.4, where a family has the name of its samples: counters end
/// in `_total`, and an info is a gauge that ends in `_info`.
pub(super) fn to_text_format(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + open_metrics.len() / 20);
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map(|(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                kind => ("", kind),
            };
            if let Some(help) = help.take() {
                text += &format!("# HELP {name}{suffix} {help}\n");
            }
            text += &format!("# TYPE {name}{suffix} {kind}\n");
        } else if !line.starts_with('#') {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_clients_that_name_it_and_do_not_prefer_text() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for accept in [prometheus, "application/openmetrics-text", "Application/OpenMetrics-Text; q=0.1"] {
            assert_eq!(ExpositionFormat::negotiate(accept), ExpositionFormat::OpenMetrics, "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/plain;version=0.0.4",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text-like",
        ] {
            assert_eq!(ExpositionFormat::negotiate(accept), ExpositionFormat::Text, "{accept}");
        }
    }

    #[test]
    fn in_text_a_family_has_the_name_of_its_samples() {
        let open_metrics = "# HELP a_frames Frames.\n# TYPE a_frames counter\na_frames_total{worker=\"0\"} 3\n\
            # HELP a_build About.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
            # HELP a_up Up.\n# TYPE a_up gauge\n# UNIT a_up seconds\na_up 1\n# EOF\n";

        assert_eq!(
            to_text_format(open_metrics),
            "# HELP a_frames_total Frames.\n# TYPE a_frames_total counter\na_frames_total{worker=\"0\"} 3\n\
            # HELP a_build_info About.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
            # HELP a_up Up.\n# TYPE a_up gauge\na_up 1\n"
        );
    }
}
