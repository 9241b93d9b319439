use actix_web::http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

/// The challenges of a 401 response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthChallenge {
    /// Basic and Bearer.
    All,
    /// Bearer only, for a script in a page. On a Basic challenge the browser would ask its user for a
    /// password in a window of its own, before the script sees the response.
    Bearer,
}

impl AuthChallenge {
    /// The challenges for this request. Scripts are known by `Sec-Fetch-Dest` (sent to https and localhost)
    /// or by `X-Requested-With`, which our dashboard sends.
    pub(super) fn for_request(headers: &HeaderMap) -> Self {
        let is_script = headers.contains_key("x-requested-with")
            || headers.get("sec-fetch-dest").is_some_and(|destination| destination == "empty");
        if is_script { Self::Bearer } else { Self::All }
    }

    /// Adds the header lines.
    pub(super) fn append_to(self, headers: &mut HeaderMap) {
        if self == Self::All {
            let basic = HeaderValue::from_static("Basic realm=\"tapecast\", charset=\"UTF-8\"");
            headers.append(WWW_AUTHENTICATE, basic);
        }
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tapecast\""));
    }

    /// Adds the header line for a token that has expired (RFC 6750 section 3.1).
    pub(super) fn append_expired_to(headers: &mut HeaderMap) {
        let bearer =
            "Bearer realm=\"tapecast\", error=\"invalid_token\", error_description=\"The token expired\"";
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(bearer));
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_script_in_a_page_gets_no_challenge_that_makes_the_browser_ask_for_a_password() {
        let challenges = |request: TestRequest| {
            let mut answer = HeaderMap::new();
            AuthChallenge::for_request(request.to_http_request().headers()).append_to(&mut answer);
            answer.get_all(WWW_AUTHENTICATE).map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };

        let all = ["Basic realm=\"tapecast\", charset=\"UTF-8\"", "Bearer realm=\"tapecast\""];
        assert_eq!(challenges(TestRequest::default()), all);
        assert_eq!(challenges(TestRequest::default().insert_header(("sec-fetch-dest", "document"))), all);
        assert_eq!(challenges(TestRequest::default().insert_header(("sec-fetch-dest", "empty"))), all[1..]);
        assert_eq!(challenges(TestRequest::default().insert_header(("x-requested-with", "fetch"))), all[1..]);
    }
}
