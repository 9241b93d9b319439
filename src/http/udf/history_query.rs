use super::resolution::{RESOLUTIONS, Resolution};
use crate::http::error::ApiError;
use crate::http::query::QueryParams;

/// Which bars a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HistoryQuery {
    /// Their length.
    pub(super) resolution: Resolution,
    /// Their times.
    pub(super) range: BarRange,
}

/// The times of bars, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BarRange {
    /// All from this time on, before another one.
    Between {
        /// Inclusive.
        from: i64,
        /// Exclusive.
        to: i64,
    },
    /// The latest before a time.
    Latest {
        /// The number of bars.
        count: usize,
        /// Exclusive.
        to: i64,
    },
}

/// The most bars of an answer, 1 MB: the limit of a page of REST. Of more, the latest are answered, which the adapter's option
/// `limitedServerResponse` calls `latestFirst`.
pub(super) const MAX_BARS: usize = 10_000;

impl HistoryQuery {
    /// Reads the parameters. With `countback`, `from` has no meaning and is not read.
    pub(super) fn parse(params: &QueryParams) -> Result<Self, ApiError> {
        let name = params.value("resolution").ok_or(ApiError::Missing("resolution"))?;
        let resolution = Resolution::named(name)
            .ok_or_else(|| ApiError::invalid("resolution", format!("`{name}` ({RESOLUTIONS})")))?;
        let to = seconds(params, "to")?;
        let range = match count(params)? {
            0 => {
                let from = seconds(params, "from")?;
                if to < from {
                    return Err(ApiError::invalid("to", "before from"));
                }
                BarRange::Between { from, to }
            }
            count => BarRange::Latest { count: count.min(MAX_BARS), to },
        };
        Ok(Self { resolution, range })
    }
}

/// A required time.
fn seconds(params: &QueryParams, name: &'static str) -> Result<i64, ApiError> {
    let text = params.value(name).ok_or(ApiError::Missing(name))?;
    text.parse().map_err(|_| ApiError::invalid(name, format!("`{text}` is no whole number of seconds")))
}

/// The number of bars wanted; 0 if it is absent.
fn count(params: &QueryParams) -> Result<usize, ApiError> {
    let Some(text) = params.value("countback") else { return Ok(0) };
    let count = text.parse::<u32>();
    count
        .map(|count| count as usize)
        .map_err(|_| ApiError::invalid("countback", format!("`{text}` is no count")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<HistoryQuery, ApiError> {
        HistoryQuery::parse(&QueryParams::parse(query)?)
    }

    fn range(query: &str) -> Result<BarRange, ApiError> {
        parse(&format!("resolution=1&{query}")).map(|query| query.range)
    }

    #[test]
    fn bars_are_asked_for_by_range_or_by_count() {
        assert_eq!(range("from=10&to=20"), Ok(BarRange::Between { from: 10, to: 20 }));
        assert_eq!(range("from=-10&to=-10"), Ok(BarRange::Between { from: -10, to: -10 }));
        assert_eq!(range("from=10&to=20&countback=0"), Ok(BarRange::Between { from: 10, to: 20 }));
        assert_eq!(range("to=20&countback=300"), Ok(BarRange::Latest { count: 300, to: 20 }));
    }

    #[test]
    fn a_count_has_priority_over_the_start_and_a_limit() {
        assert_eq!(range("from=30&to=20&countback=3"), Ok(BarRange::Latest { count: 3, to: 20 }));
        assert_eq!(range("from=x&to=20&countback=3"), Ok(BarRange::Latest { count: 3, to: 20 }));
        assert_eq!(range("to=20&countback=4294967295"), Ok(BarRange::Latest { count: MAX_BARS, to: 20 }));
    }

    #[test]
    fn what_is_missing_or_invalid_is_named() {
        for (query, missing) in [
            ("from=1&to=2", "resolution"),
            ("resolution=1&from=1", "to"),
            ("resolution=1&to=2", "from"),
            ("resolution=1&to=2&countback=0", "from"),
        ] {
            assert_eq!(parse(query), Err(ApiError::Missing(missing)), "{query}");
        }
        for (query, parameter) in [
            ("resolution=1H&from=1&to=2", "resolution"),
            ("resolution=1&from=1.5&to=2", "from"),
            ("resolution=1&from=1&to=2026-11-20", "to"),
            ("resolution=1&from=3&to=2", "to"),
            ("resolution=1&from=1&to=2&countback=-1", "countback"),
            ("resolution=1&from=1&to=99999999999999999999", "to"),
        ] {
            match parse(query) {
                Err(ApiError::Invalid { name, .. }) => assert_eq!(name, parameter, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
