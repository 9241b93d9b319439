use std::collections::HashSet;

use actix_web::web::Query;

use super::error::ApiError;

/// The parameters of a query string. Only `symbols` may occur several times.
#[derive(Clone, Debug)]
pub(super) struct QueryParams {
    pairs: Vec<(String, String)>,
}

/// The parameter that is a list, and may be repeated.
const LIST: &str = "symbols";

impl QueryParams {
    /// Parses a query string.
    ///
    /// A name that occurs twice is an error: two parts of a system that take different ones of two values
    /// check one and use the other.
    pub(super) fn parse(query_string: &str) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_query(query_string)
            .map_err(|_| ApiError::invalid("query", "not a form of names and values"))?
            .into_inner();
        let mut names = HashSet::new();
        let repeated = pairs.iter().find(|(name, _)| name != LIST && !names.insert(name));
        match repeated {
            Some((name, _)) => Err(ApiError::Repeated(name.clone())),
            None => Ok(Self { pairs }),
        }
    }

    /// Refuses parameters with other names than these.
    pub(super) fn check_names(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                let why = format!("`{name}` is none of {}", known.join(", "));
                Err(ApiError::invalid("parameter", why))
            }
            None => Ok(()),
        }
    }

    /// All values of this name.
    pub(super) fn values(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// The value of this name; `None` if it is absent or empty.
    pub(super) fn value(&self, wanted: &str) -> Option<&str> {
        self.values(wanted).next().filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_an_error_unless_it_is_a_list() {
        for query in
            ["feed=sip&feed=iex", "feed=&feed=sip", "f%65ed=sip&feed=sip", "key=a&secret=b&key=a", "x=1&x=1"]
        {
            assert!(matches!(QueryParams::parse(query), Err(ApiError::Repeated(_))), "{query}");
        }
        let query = QueryParams::parse("symbols=A&symbols=B&feed=sip&limit=").unwrap();
        assert_eq!(query.values("symbols").collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(
            (query.value("feed"), query.value("limit"), query.value("sort")),
            (Some("sip"), None, None)
        );
    }
}
