//! The order of names in which `2-b` comes before `10-a`.

/// A key that sorts names as people number them.
#[must_use]
pub(crate) fn key(name: &str) -> Vec<(u8, u64, String)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let end =
            if digits > 0 { digits.min(18) } else { rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()) };
        let (part, after) = rest.split_at(end);
        key.push(match part.parse() {
            Ok(number) if digits > 0 => (0, number, String::new()),
            _ => (1, 0, part.to_lowercase()),
        });
        rest = after;
    }
    key.push((0, 0, name.to_owned()));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = vec!["10-end.md", "2-b.md", "1-A.md", "1-a.md", "01-a.md", "x.md", "a9", "a10"];
        names.sort_by_cached_key(|name| key(name));
        assert_eq!(names, ["01-a.md", "1-A.md", "1-a.md", "2-b.md", "10-end.md", "a9", "a10", "x.md"]);
        assert!(key(&"9".repeat(500)).len() > 20);
    }
}
