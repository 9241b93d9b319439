//! The crate's modules as parsed from `src`, and every path that they name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Meta, Visibility};

use crate::syntax::{self, is_test_only, normalised, path_attribute};

/// The crate: its modules, their types and what they refer to.
pub(crate) struct SourceTree {
    root: PathBuf,
    pub(crate) modules: Vec<Module>,
    pub(crate) references: Vec<Reference>,
    pub(crate) types: Vec<TypeDefinition>,
    pub(crate) path_attributes: Vec<PathAttribute>,
    by_path: HashMap<Vec<String>, usize>,
}

/// One module, which is a file or stands within one.
pub(crate) struct Module {
    /// `["hub", "index"]`; empty for the crate root.
    pub(crate) path: Vec<String>,
    /// Relative to `src`: `hub/index.rs`.
    pub(crate) file: String,
    /// Names that `use` declarations bring in, with the paths that they stand for.
    imports: Vec<(String, Vec<String>)>,
}

/// A path that a module names: in `use`, in a type, in an expression or in a macro's arguments.
pub(crate) struct Reference {
    pub(crate) module: usize,
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) is_test: bool,
    /// A `pub use`, which offers a name and does not need it.
    pub(crate) is_reexport: bool,
}

/// A struct, enum, trait or type alias that other modules can see.
pub(crate) struct TypeDefinition {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// A `#[path]` on a module.
pub(crate) struct PathAttribute {
    pub(crate) file: String,
    pub(crate) line: usize,
    /// The file that it names, relative to `src`; `None` outside of it.
    pub(crate) target: Option<String>,
}

impl SourceTree {
    /// Parses the crate whose root is `src/lib.rs`.
    pub(crate) fn parse(src: &Path) -> Self {
        let mut tree = Self {
            root: src.to_owned(),
            modules: Vec::new(),
            references: Vec::new(),
            types: Vec::new(),
            path_attributes: Vec::new(),
            by_path: HashMap::new(),
        };
        tree.add_file("lib.rs", Vec::new(), "", false);
        tree
    }

    /// Adds the module in `file`, whose child modules stand in the folder `children`.
    fn add_file(&mut self, file: &str, path: Vec<String>, children: &str, is_test: bool) {
        let text = fs::read_to_string(self.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let module = self.add_module(file, path);
        let mut visitor = FileVisitor {
            tree: self,
            file,
            folders: vec![children.to_owned()],
            modules: vec![module],
            test_depth: u32::from(is_test),
        };
        visitor.visit_file(&parsed);
    }

    fn add_module(&mut self, file: &str, path: Vec<String>) -> usize {
        let index = self.modules.len();
        self.by_path.insert(path.clone(), index);
        self.modules.push(Module { path, file: file.to_owned(), imports: Vec::new() });
        index
    }

    /// The module that holds what a reference names, after imports and re-exports; `None` for another
    /// crate's and for local names.
    pub(crate) fn resolve(&self, reference: &Reference) -> Option<&Module> {
        let module = self.resolve_within(reference.module, &reference.segments, 0)?;
        Some(&self.modules[module])
    }

    fn resolve_within(&self, module: usize, segments: &[String], depth: usize) -> Option<usize> {
        // Imports may lead in circles, as `use self::a` in a module `a` does.
        if depth > 16 {
            return None;
        }
        let mut here = self.modules[module].path.clone();
        let mut rest = segments;
        match segments.first()?.as_str() {
            "crate" => (here, rest) = (Vec::new(), &segments[1..]),
            "self" => rest = &segments[1..],
            "super" => {
                while rest.first().is_some_and(|first| first == "super") {
                    here.pop();
                    rest = &rest[1..];
                }
            }
            // A single lower-case name is as likely a local variable as a module.
            name if segments.len() > 1 || name.starts_with(char::is_uppercase) => {
                return self.member(module, rest, depth);
            }
            _ => return None,
        }
        let start = *self.by_path.get(&here)?;
        Some(self.member(start, rest, depth).unwrap_or(start))
    }

    /// The module of what `segments` name within a module: a child's or an imported name's, or `None`.
    fn member(&self, module: usize, segments: &[String], depth: usize) -> Option<usize> {
        let (first, rest) = segments.split_first()?;
        let child: Vec<_> = self.modules[module].path.iter().chain([first]).cloned().collect();
        if let Some(&child) = self.by_path.get(&child) {
            return Some(self.member(child, rest, depth).unwrap_or(child));
        }
        let imports = self.modules[module].imports.iter().filter(|(name, _)| name == first);
        for (_, import) in imports {
            let whole: Vec<_> = import.iter().chain(rest).cloned().collect();
            if whole != segments
                && let Some(target) = self.resolve_within(module, &whole, depth + 1)
            {
                return Some(target);
            }
        }
        None
    }

    /// The path of a reference with its first name replaced by what it was imported as: `Instant::now`
    /// becomes `std::time::Instant::now`.
    pub(crate) fn full_path(&self, reference: &Reference) -> Vec<String> {
        let (first, rest) = reference.segments.split_first().expect("a path has a name");
        let imports = &self.modules[reference.module].imports;
        match imports.iter().find(|(name, path)| name == first && path.first() != Some(first)) {
            Some((_, path)) => path.iter().chain(rest).cloned().collect(),
            None => reference.segments.clone(),
        }
    }

    /// The file of a reference, relative to `src`.
    pub(crate) fn file(&self, reference: &Reference) -> &str {
        &self.modules[reference.module].file
    }
}

struct FileVisitor<'a> {
    tree: &'a mut SourceTree,
    file: &'a str,
    /// Where the files of the current module's children stand; the innermost is last.
    folders: Vec<String>,
    modules: Vec<usize>,
    test_depth: u32,
}

impl FileVisitor<'_> {
    fn module(&self) -> usize {
        *self.modules.last().expect("a file is a module")
    }

    fn refer(&mut self, segments: Vec<String>, line: usize, is_reexport: bool) {
        let (module, is_test) = (self.module(), self.test_depth > 0);
        self.tree.references.push(Reference { module, segments, line, is_test, is_reexport });
    }

    /// Visits what these attributes belong to, as test code where they say so.
    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let is_test = attributes.iter().any(is_test_only);
        self.test_depth += u32::from(is_test);
        visit(self);
        self.test_depth -= u32::from(is_test);
    }

    fn define(&mut self, visibility: &Visibility, name: &syn::Ident) {
        if self.test_depth == 0 && !matches!(visibility, Visibility::Inherited) {
            self.tree.types.push(TypeDefinition {
                name: name.to_string(),
                file: self.file.to_owned(),
                line: name.span().start().line,
            });
        }
    }

    /// Records every path in the arguments of a macro or an attribute, which have no syntax of their own.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(first) => {
                    let line = first.span().start().line;
                    let mut segments = vec![first.to_string()];
                    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(next), ..] =
                        &tokens[at + 1..]
                        && (one.as_char(), two.as_char()) == (':', ':')
                    {
                        segments.push(next.to_string());
                        at += 3;
                    }
                    self.refer(segments, line, false);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    fn child_file(&mut self, item: &ItemMod) -> Option<(String, String)> {
        let name = item.ident.to_string();
        let folder = self.folders.last().expect("a module has a folder").clone();
        let join = |folder: &str, file: &str| {
            if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
        };
        if let Some(path) = item.attrs.iter().find_map(path_attribute) {
            let beside = self.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = normalised(&join(beside, &path));
            let line = item.ident.span().start().line;
            let (file, target_in_src) = (self.file.to_owned(), target.clone());
            self.tree.path_attributes.push(PathAttribute { file, line, target: target_in_src });
            let target = target?;
            let children = target.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
            return Some((target, children));
        }
        let children = join(&folder, &name);
        [format!("{children}.rs"), format!("{children}/mod.rs")]
            .into_iter()
            .find(|file| self.tree.root.join(file).exists())
            .map(|file| (file, children))
    }
}

impl<'ast> Visit<'ast> for FileVisitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &Vec::new(),
        };
        self.within(attributes, |visitor| {
            match item {
                Item::Enum(item) => visitor.define(&item.vis, &item.ident),
                Item::Struct(item) => visitor.define(&item.vis, &item.ident),
                Item::Trait(item) => visitor.define(&item.vis, &item.ident),
                Item::Type(item) => visitor.define(&item.vis, &item.ident),
                _ => {}
            }
            visit::visit_item(visitor, item);
        });
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Const(item) => &item.attrs,
            _ => &Vec::new(),
        };
        self.within(attributes, |visitor| visit::visit_impl_item(visitor, item));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let path: Vec<_> =
            self.tree.modules[self.module()].path.iter().cloned().chain([item.ident.to_string()]).collect();
        let is_test = self.test_depth > 0;
        if item.content.is_some() {
            let module = self.tree.add_module(self.file, path);
            let folder = format!("{}/{}", self.folders.last().expect("a module has a folder"), item.ident);
            self.modules.push(module);
            self.folders.push(folder.trim_start_matches('/').to_owned());
            visit::visit_item_mod(self, item);
            self.modules.pop();
            self.folders.pop();
        } else if let Some((file, children)) = self.child_file(item) {
            self.tree.add_file(&file, path, &children, is_test);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        for leaf in syntax::flatten(&item.tree) {
            let module = self.module();
            if let Some(name) = leaf.name {
                self.tree.modules[module].imports.push((name, leaf.path.clone()));
            }
            self.refer(leaf.path, leaf.line, is_reexport);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
        self.refer(segments, line, false);
        visit::visit_path(self, path);
    }

    /// The path of a `pub(in path)` restricts and does not import.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }
}
