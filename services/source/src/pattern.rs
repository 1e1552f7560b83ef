//! Names with `*` and `?`, as people write them for files.

/// Whether a path fits a pattern: the pattern of a bare name is compared with the last part of the path, one with a slash with the whole.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    if pattern.is_empty() {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let of: Vec<char> = if pattern.contains('/') { path.chars().collect() } else { name.chars().collect() };
    matches(&pattern.chars().collect::<Vec<_>>(), &of)
}

/// Linear in the pattern times the text: only the last star is gone back to.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, path, want) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "deep/er/a.txt", true),
            ("*.txt", "a.txtx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("deep/*", "deep/er/a.txt", true),
            ("deep/*", "x/deep/a", false),
            ("README.md", "doc/README.md", true),
            ("*", "x", true),
            ("a*b*c", "aXbYbZc", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, path), want, "{pattern} {path}");
        }
        let many = "a*".repeat(40) + "b";
        assert!(!fits(&many, &"a".repeat(5000)));
    }
}
