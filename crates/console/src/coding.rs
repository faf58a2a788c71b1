//! Codings of content: which there are, and which of them a client accepts.

/// How bytes are coded on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Brotli, the shorter one; browsers accept it over TLS and from the machine that they are on.
    Brotli,
    /// Gzip.
    Gzip,
}

impl Coding {
    /// The shortest first.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// As in the header `Content-Encoding`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What the name of a coded file ends in.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// The coding of the file of this name, if it is a coded one.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|coding| name.ends_with(coding.suffix()))
    }

    /// Those that a client accepts, the shortest first; `header` is its `Accept-Encoding`.
    pub(crate) fn accepted(header: &str) -> Vec<Self> {
        Self::ALL.into_iter().filter(|coding| is_accepted(header, coding.as_str())).collect()
    }
}

/// RFC 9110, 12.5.3: what is named counts more than `*`, and a weight of 0 refuses.
fn is_accepted(header: &str, coding: &str) -> bool {
    let weight_of = |wanted: &str| header.split(',').find_map(|item| weight(item, wanted));
    weight_of(coding).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// What an item of the list gives a coding, if it is about that one. A weight that can't be read is none.
fn weight(item: &str, wanted: &str) -> Option<f32> {
    let mut parts = item.split(';').map(str::trim);
    let is_meant = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    let given = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    is_meant.then(|| given.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_only_what_it_accepts() {
        use Coding::{Brotli, Gzip};
        for (header, accepted) in [
            ("", &[][..]),
            ("identity", &[]),
            ("gzip", &[Gzip]),
            ("GZIP", &[Gzip]),
            ("gzip, deflate, br, zstd", &[Brotli, Gzip]),
            ("br;q=0.1, gzip;q=1.0", &[Brotli, Gzip]),
            ("br;q=0, gzip", &[Gzip]),
            ("br; Q=0.000 ,gzip ; q=0.5", &[Gzip]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0", &[]),
            ("*, br;q=0", &[Gzip]),
            ("*;q=0, gzip", &[Gzip]),
            ("gzip;q=much", &[]),
            ("gzipped, brotli, x-gzip", &[]),
            (";;,,;q=1,", &[]),
        ] {
            assert_eq!(Coding::accepted(header), accepted, "{header:?}");
        }
    }

    #[test]
    fn coded_files_are_known_by_their_names() {
        assert_eq!(Coding::of_name("assets/app.js.br"), Some(Coding::Brotli));
        assert_eq!(Coding::of_name("assets/app.js.gz"), Some(Coding::Gzip));
        assert_eq!(Coding::of_name("assets/app.js"), None);
        assert_eq!(Coding::of_name("gz"), None);
    }
}
