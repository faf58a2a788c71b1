//! What names in documents may look like.

/// Whether a text can be the name of a container, a terminal, a check or a quiz: lower-case letters, digits and hyphens,
/// a letter or digit at both ends, at most 40.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 40 && text.starts_with(plain) && text.ends_with(plain) && text.chars().all(|c| plain(c) || c == '-')
}

/// Whether a text can be the name of a variable: a letter, then letters, digits and underscores, at most 40.
pub(crate) fn is_variable(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a text can be a language, such as `en` or `pt-BR`.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|first| (2..=3).contains(&first.len()) && first.chars().all(|c| c.is_ascii_lowercase()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Permissions in octal digits.
pub(crate) fn mode_of(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777 && !digits.starts_with('+'))
}

/// A name made of a title, for a file.
pub(crate) fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "step".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_languages() {
        for good in ["a", "host01", "web-1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a b", "ä", &"a".repeat(41)] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_variable("Port_1") && !is_variable("1a") && !is_variable("a-b") && !is_variable(""));
        assert!(
            is_language("en")
                && is_language("pt-BR")
                && !is_language("english")
                && !is_language("e")
                && !is_language("")
        );
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!(mode_of("0755"), Some(0o755));
        assert_eq!(mode_of("0o644"), Some(0o644));
        for bad in ["", "+7", "888", "77777", "rwx", "-1"] {
            assert_eq!(mode_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn titles_become_names_of_files() {
        assert_eq!(slug("Install Loki & co."), "install-loki-co");
        assert_eq!(slug("  Ünïcode"), "n-code");
        assert_eq!(slug("数据库"), "step");
        assert!(slug(&"long title ".repeat(20)).len() <= 40);
    }
}
