//! The paths of the API and their methods.

use actix_web::http::Method;

/// The most bytes of a request's body: a key that allows a thousand symbols.
pub(in crate::http) const MAX_BODY_BYTES: usize = 16 << 10;

/// Whether the path is one of the API, at whatever address.
pub(in crate::http) fn is_path(path: &str) -> bool {
    path.starts_with("/admin/api/")
}

/// The methods of a path of the API; `None` if there is no such path.
pub(in crate::http) fn methods_of(path: &str) -> Option<&'static str> {
    let path = path.strip_prefix("/admin/api/")?;
    let parts: Vec<_> = path.split('/').collect();
    Some(match parts[..] {
        ["overview" | "sessions" | "refusals"] => "GET, HEAD",
        ["sessions", id] if !id.is_empty() => "GET, HEAD, DELETE",
        ["sessions", _, "muted"] => "PUT",
        ["drain"] => "POST, DELETE",
        ["log-level"] => "GET, HEAD, PUT",
        ["keys"] => "GET, HEAD, POST",
        ["keys", id] if !id.is_empty() => "DELETE",
        ["keys", _, "rotate"] => "POST",
        _ => return None,
    })
}

/// Whether a path of the API has this method.
pub(in crate::http) fn has_method(path: &str, method: &Method) -> bool {
    methods_of(path).is_some_and(|methods| methods.split(", ").any(|known| known == method.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_methods() {
        for (path, methods) in [
            ("/admin/api/overview", Some("GET, HEAD")),
            ("/admin/api/sessions/0-1", Some("GET, HEAD, DELETE")),
            ("/admin/api/sessions/0-1/muted", Some("PUT")),
            ("/admin/api/keys/desk/rotate", Some("POST")),
            ("/admin/api/sessions/", None),
            ("/admin/api/", None),
            ("/admin/overview", None),
            ("/admin/api/overview/x", None),
        ] {
            assert_eq!(methods_of(path), methods, "{path}");
        }
        assert!(
            has_method("/admin/api/drain", &Method::DELETE) && !has_method("/admin/api/drain", &Method::PUT)
        );
    }
}
