//! What a client wants spelled out in place of a link, and what it wants as a link in place of the whole.

use std::collections::BTreeMap;

/// How many links may be followed from the object that was asked for.
const DEEPEST: usize = 3;

/// The names of `include` and `exclude` as trees: `a.b` is `b` below `a`. Names nobody knows are never looked up, so clients that
/// send nonsense (`include=False`) are served as if they had sent nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    include: Tree,
    exclude: Tree,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tree {
    /// Whether a path ends here.
    end: bool,
    below: BTreeMap<String, Tree>,
}

impl Tree {
    fn grow(&mut self, paths: &str) {
        for path in paths.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            let mut at = &mut *self;
            for name in path.split('.').take(DEEPEST) {
                at = at.below.entry(name.to_owned()).or_default();
            }
            at.end = true;
        }
    }

    /// The documents' own example asks for `memberships.projects` where the link is called `project`.
    fn get(&self, name: &str) -> Option<&Self> {
        self.below
            .get(name)
            .or_else(|| self.below.iter().find(|(n, _)| n.strip_suffix('s') == Some(name)).map(|(_, t)| t))
    }
}

impl Wants {
    /// Adds a comma-separated list of what to spell out.
    pub fn include(&mut self, paths: &str) {
        self.include.grow(paths);
    }
    /// Adds a comma-separated list of what to leave as links.
    pub fn exclude(&mut self, paths: &str) {
        self.exclude.grow(paths);
    }
    /// Whether the relation of this name is spelled out; `usually` when the client says nothing about it.
    pub fn is_whole(&self, name: &str, usually: bool) -> bool {
        let excluded = self.exclude.get(name).is_some_and(|tree| tree.end);
        !excluded && (usually || self.include.get(name).is_some())
    }
    /// What is wanted of the objects behind the relation of this name.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let of = |tree: &Tree| tree.get(name).cloned().unwrap_or_default();
        Self { include: of(&self.include), exclude: of(&self.exclude) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(include: &str, exclude: &str) -> Wants {
        let mut wants = Wants::default();
        wants.include(include);
        wants.exclude(exclude);
        wants
    }

    #[test]
    fn a_nested_name_includes_the_names_on_its_way() {
        let wants = wants("memberships.projects, emails", "");
        assert!(wants.is_whole("memberships", false) && wants.is_whole("emails", false));
        assert!(wants.below("memberships").is_whole("project", false));
        assert!(!wants.is_whole("project", false));
    }

    #[test]
    fn names_go_three_deep() {
        let three = wants("a.b.c.d", "").below("a").below("b");
        assert!(three.is_whole("c", false));
        assert!(!three.below("c").is_whole("d", false));
    }

    #[test]
    fn exclude_makes_links_of_what_is_usually_whole_and_leaves_its_parents_alone() {
        let wants = wants("", "facility.metro");
        assert!(wants.is_whole("facility", true) && !wants.below("facility").is_whole("metro", true));
    }
}
