//! FRR's configuration as a tree of lines, and which of it is ours.
//!
//! FRR keeps no text: it prints what it runs in an order of its own. Two configurations are therefore compared as sets of
//! lines inside their contexts, never as texts. Order says nothing in FRR, except in lists and maps, whose lines carry numbers.
//!
//! A router may run more than BGP. Ours are the BGP instance of the default VRF, every list, map and BFD profile whose name begins
//! with [`OURS`], and what a text that we wrote names besides; interfaces, other protocols, other VRFs and the machine's own lines
//! (its name, its log, its forwarding) stay as they are found.

use std::collections::{BTreeMap, BTreeSet};

/// What the names of all lists, maps and profiles begin with that we make.
pub const OURS: &str = "meetme-";
/// The context of everything about bidirectional forwarding detection, in which others have their lines too.
pub const BFD: &str = "bfd";

/// A line and the lines inside the context it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line, its words apart by one blank.
    pub line: String,
    /// Whether the line opens a context, which must be closed again, even if nothing is in it.
    pub is_context: bool,
    /// What is in the context.
    pub inside: Vec<Node>,
}

impl Node {
    /// A line that opens nothing.
    pub fn line(line: impl Into<String>) -> Self {
        Self { line: line.into(), is_context: false, inside: Vec::new() }
    }
    /// A context with these lines in it.
    pub fn context(line: impl Into<String>, inside: Vec<Node>) -> Self {
        Self { line: line.into(), is_context: true, inside }
    }
}

/// What a configuration says, without order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(pub BTreeMap<String, Shape>);

impl Shape {
    /// What these lines say.
    pub fn of(nodes: &[Node]) -> Self {
        let mut shape = Self::default();
        shape.add(nodes);
        shape
    }
    fn add(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.0.entry(node.line.clone()).or_default().add(&node.inside);
        }
    }
    /// The context this line opens, or nothing; none when there is no such line.
    pub fn get(&self, line: &str) -> Option<&Self> {
        self.0.get(line)
    }
}

/// Whether two configurations say the same.
pub fn same(one: &[Node], other: &[Node]) -> bool {
    Shape::of(one) == Shape::of(other)
}

/// Reads what FRR prints, or a text indented like it.
pub fn parse(text: &str) -> Vec<Node> {
    let mut read = Reading::default();
    for raw in text.lines() {
        let line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        let depth = raw.len() - raw.trim_start().len();
        if line == "exit" || line.starts_with("exit-") {
            read.exit(depth);
        } else if !is_noise(&line) {
            read.push(depth, line);
        }
    }
    read.end()
}

/// Lines that say nothing of the configuration.
fn is_noise(line: &str) -> bool {
    line.is_empty()
        || line.starts_with(['!', '#'])
        || matches!(line, "end" | "Building configuration..." | "Current configuration:")
}

/// The contexts that are open, each with the depth of its line, and what is closed already.
#[derive(Default)]
struct Reading {
    open: Vec<(usize, Node)>,
    done: Vec<Node>,
}

impl Reading {
    fn push(&mut self, depth: usize, line: String) {
        while self.open.last().is_some_and(|(of, _)| *of >= depth) {
            self.close();
        }
        self.open.push((depth, Node::line(line)));
    }

    fn exit(&mut self, depth: usize) {
        while self.open.last().is_some_and(|(of, _)| *of > depth) {
            self.close();
        }
        if let Some((_, node)) = self.open.last_mut().filter(|(of, _)| *of == depth) {
            node.is_context = true;
            self.close();
        }
    }

    fn close(&mut self) {
        let Some((_, node)) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some((_, parent)) => {
                parent.is_context = true;
                parent.inside.push(node);
            }
            None => self.done.push(node),
        }
    }

    fn end(mut self) -> Vec<Node> {
        while !self.open.is_empty() {
            self.close();
        }
        self.done
    }
}

/// The lines as FRR prints and reads them.
pub fn print(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        put(&mut out, node, 0);
    }
    out
}

/// One node with everything in it, `depth` blanks to the right.
pub fn put(out: &mut String, node: &Node, depth: usize) {
    let indent = " ".repeat(depth);
    out.push_str(&format!("{indent}{}\n", node.line));
    if node.is_context {
        for inside in &node.inside {
            put(out, inside, depth + 1);
        }
        out.push_str(&format!("{indent}{}\n", exit(&node.line)));
        if depth == 0 {
            out.push_str("!\n");
        }
    }
}

/// What closes the context that a line opens.
pub fn exit(line: &str) -> &'static str {
    match line.split(' ').next() {
        Some("address-family") => "exit-address-family",
        Some("vrf") => "exit-vrf",
        Some("vni") => "exit-vni",
        _ => "exit",
    }
}

/// The same lines in the order of others, as far as these have them; the rest follows. People read differences between texts.
pub fn arranged(nodes: &[Node], like: &[Node]) -> Vec<Node> {
    let by_line: BTreeMap<&str, &Node> = nodes.iter().map(|node| (node.line.as_str(), node)).collect();
    let model: BTreeMap<&str, &Node> = like.iter().map(|node| (node.line.as_str(), node)).collect();
    let first = like.iter().filter_map(|node| by_line.get(node.line.as_str()).copied());
    let rest = nodes.iter().filter(|node| !model.contains_key(node.line.as_str()));
    let order = |node: &Node| {
        let inside = model.get(node.line.as_str()).map_or(&[][..], |model| &model.inside);
        Node { inside: arranged(&node.inside, inside), ..node.clone() }
    };
    first.chain(rest).map(order).collect()
}

/// What a line at the top belongs to: all lines of a list or a map have one key, a setting of the machine has one whatever it
/// is set to, and any other line is a thing of its own.
pub fn key(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let of = |n: usize| words[..n.min(words.len())].join(" ");
    match words[..] {
        ["no", _, ..] => key(&words[1..].join(" ")),
        ["router", "bgp"] | ["router", "bgp", _] => of(2),
        ["route-map", ..] | ["log", ..] => of(2),
        ["hostname" | "domainname", ..] => of(1),
        ["ip" | "ipv6", "prefix-list" | "access-list", ..] => of(3),
        ["bgp", "as-path" | "community-list" | "large-community-list" | "extcommunity-list", ..] => of(4),
        _ => line.to_owned(),
    }
}

/// The keys of what a text says at the top, and of what it says about forwarding detection.
pub fn keys(nodes: &[Node]) -> BTreeSet<String> {
    let inside = nodes.iter().filter(|node| node.line == BFD).flat_map(|node| &node.inside).map(within_bfd);
    nodes.iter().map(|node| key(&node.line)).chain(inside).collect()
}

fn within_bfd(node: &Node) -> String {
    format!("{BFD} {}", node.line)
}

/// Parts a configuration into what is not ours and what is: by its kind, by its name, or because one of our texts names it.
pub fn split(nodes: Vec<Node>, named: &BTreeSet<String>) -> (Vec<Node>, Vec<Node>) {
    let (mut foreign, mut ours) = (Vec::new(), Vec::new());
    for node in nodes {
        if node.line == BFD {
            let is_ours = |node: &Node| {
                let profile = node.line.strip_prefix("profile ");
                profile.is_some_and(|name| name.starts_with(OURS)) || named.contains(&within_bfd(node))
            };
            let (mine, theirs): (Vec<Node>, Vec<Node>) = node.inside.into_iter().partition(is_ours);
            // What FRR shows of a context that nothing is in any more is nobody's.
            if !mine.is_empty() {
                ours.push(Node::context(BFD, mine));
            }
            if !theirs.is_empty() {
                foreign.push(Node::context(BFD, theirs));
            }
            continue;
        }
        let key = key(&node.line);
        let is_ours = key == "router bgp"
            || key.rsplit(' ').next().is_some_and(|name| key != node.line && name.starts_with(OURS))
            || named.contains(&key);
        // What FRR says of itself cannot be said to it.
        if is_ours && !key.starts_with("frr ") { ours.push(node) } else { foreign.push(node) }
    }
    (foreign, ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from FRR 8.4.4, shortened.
    const SHOWN: &str = "\
Building configuration...

Current configuration:
!
frr version 8.4.4
frr defaults traditional
hostname vm
no ip forwarding
!
interface eth0
 ip address 192.0.2.1/24
exit
!
router bgp 64500
 bgp router-id 192.0.2.1
 neighbor 192.0.2.2 remote-as 64501
 !
 address-family ipv4 unicast
  neighbor 192.0.2.2 activate
 exit-address-family
exit
!
router bgp 64500 vrf red
exit
!
route-map meetme-none deny 10
exit
!
route-map theirs permit 10
exit
!
end
";

    #[test]
    fn what_frr_prints_is_read_and_parted() {
        let (foreign, ours) = split(parse(SHOWN), &BTreeSet::new());
        insta::assert_snapshot!(print(&foreign), @r"
        frr version 8.4.4
        frr defaults traditional
        hostname vm
        no ip forwarding
        interface eth0
         ip address 192.0.2.1/24
        exit
        !
        router bgp 64500 vrf red
        exit
        !
        route-map theirs permit 10
        exit
        !
        ");
        insta::assert_snapshot!(print(&ours), @r"
        router bgp 64500
         bgp router-id 192.0.2.1
         neighbor 192.0.2.2 remote-as 64501
         address-family ipv4 unicast
          neighbor 192.0.2.2 activate
         exit-address-family
        exit
        !
        route-map meetme-none deny 10
        exit
        !
        ");
        assert_eq!(parse(&print(&ours)), ours);
    }

    #[test]
    fn what_a_text_of_ours_names_is_ours() {
        let named = keys(&parse("route-map theirs deny 5\nexit\nhostname x\nip forwarding\nfrr version 9\n"));
        let (foreign, _) = split(parse(SHOWN), &named);
        assert_eq!(
            foreign.iter().map(|n| n.line.as_str()).collect::<Vec<_>>(),
            ["frr version 8.4.4", "frr defaults traditional", "interface eth0", "router bgp 64500 vrf red"]
        );
    }

    #[test]
    fn profiles_of_ours_are_parted_from_what_others_have_beside_them() {
        let shown = parse(
            "bfd\n profile meetme-3-300-300\n exit\n !\n profile theirs\n  detect-multiplier 7\n exit\n !\nexit\n",
        );
        let (foreign, ours) = split(shown.clone(), &BTreeSet::new());
        assert_eq!(print(&ours), "bfd\n profile meetme-3-300-300\n exit\nexit\n!\n");
        assert_eq!(print(&foreign), "bfd\n profile theirs\n  detect-multiplier 7\n exit\nexit\n!\n");
        let named = keys(&parse("bfd\n profile theirs\n  detect-multiplier 9\n exit\nexit\n"));
        assert_eq!(split(shown, &named).0, []);
        assert_eq!(split(parse("bfd\nexit\n"), &BTreeSet::new()), (vec![], vec![]));
    }

    #[test]
    fn order_says_nothing_and_contexts_do() {
        let one = parse("router bgp 1\n a\n b\nexit\nx\n");
        assert!(same(&one, &parse("x\nrouter bgp 1\n b\n!\n a\nexit\n")));
        assert!(!same(&one, &parse("router bgp 1\n a\nexit\nx\nb\n")));
        assert!(!same(&one, &parse("router bgp 2\n a\n b\nexit\nx\n")));
    }

    #[test]
    fn lines_are_put_into_the_order_of_others() {
        let got = arranged(&parse("x\nrouter bgp 1\n c\n b\n a\nexit\ny\n"), &parse("y\nrouter bgp 1\n a\n b\nexit\n"));
        assert_eq!(print(&got), "y\nrouter bgp 1\n a\n b\n c\nexit\n!\nx\n");
    }
}
