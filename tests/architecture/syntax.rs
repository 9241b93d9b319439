//! Readers for single pieces of Rust's syntax.

use syn::{Attribute, Meta, UseTree};

/// One name that a `use` brings in.
pub(crate) struct UseLeaf {
    pub(crate) path: Vec<String>,
    /// `None` for `*`.
    pub(crate) name: Option<String>,
    pub(crate) line: usize,
}

/// Every name that a `use` declaration brings in, through all nested braces.
pub(crate) fn flatten(tree: &UseTree) -> Vec<UseLeaf> {
    let mut leaves = Vec::new();
    flatten_below(tree, &mut Vec::new(), &mut leaves);
    leaves
}

fn flatten_below(tree: &UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<UseLeaf>) {
    let mut leaf = |ident: &syn::Ident, name: &syn::Ident, prefix: &[String]| {
        let line = ident.span().start().line;
        if ident == "self" && !prefix.is_empty() {
            let name = if name == "self" { prefix.last().cloned() } else { Some(name.to_string()) };
            leaves.push(UseLeaf { path: prefix.to_vec(), name, line });
        } else {
            let path = prefix.iter().cloned().chain([ident.to_string()]).collect();
            leaves.push(UseLeaf { path, name: Some(name.to_string()), line });
        }
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten_below(&path.tree, prefix, leaves);
            prefix.pop();
        }
        UseTree::Name(name) => leaf(&name.ident, &name.ident, prefix),
        UseTree::Rename(rename) => leaf(&rename.ident, &rename.rename, prefix),
        UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            leaves.push(UseLeaf { path: prefix.clone(), name: None, line });
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten_below(tree, prefix, leaves)),
    }
}

/// `#[test]`, `#[actix_web::test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`.
pub(crate) fn is_test_only(attribute: &Attribute) -> bool {
    if attribute.path().segments.last().is_some_and(|last| last.ident == "test") {
        return true;
    }
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string().replace(' ', "");
    attribute.path().is_ident("cfg")
        && (condition == "test" || condition.starts_with("all(test,") || condition.ends_with(",test)"))
        && !condition.starts_with("any(")
}

/// The value of `#[path = "…"]`.
pub(crate) fn path_attribute(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
    pair.path.is_ident("path").then(|| text.value())
}

/// The path without `..`; `None` when it leads out of `src`.
pub(crate) fn normalised(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
