use actix_web::web::Query;

use super::error::ApiError;

/// The parameters of a query string, in order. A name may occur several times.
#[derive(Clone, Debug)]
pub(super) struct QueryParams {
    pairs: Vec<(String, String)>,
}

impl QueryParams {
    /// Parses a query string.
    pub(super) fn parse(query_string: &str) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_query(query_string)
            .map_err(|_| ApiError::invalid("query", "not a form of names and values"))?;
        Ok(Self { pairs: pairs.into_inner() })
    }

    /// All values of this name.
    pub(super) fn values(&self, wanted: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.pairs.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// The last value of this name; `None` if it is empty.
    pub(super) fn value(&self, wanted: &str) -> Option<&str> {
        self.values(wanted).next_back().filter(|value| !value.is_empty())
    }
}
