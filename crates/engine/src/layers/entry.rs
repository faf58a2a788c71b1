//! The head of an entry of a tar file: what follows it, how long that is, and how it is called. Pure.

/// Tar files are made of blocks of so many bytes.
pub(crate) const BLOCK: usize = 512;

/// What a head announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// Properties of the next entry, as lines of `length key=value`.
    Properties,
    /// The name of the next entry.
    LongName,
    /// Where the next entry, a link, leads.
    LongLink,
    /// Anything else; `true` if bytes follow it.
    Other(bool),
}

/// A head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) kind: Kind,
}

/// Reads a block as a head; `None` if it is none.
pub(super) fn parse(block: &[u8]) -> Option<Head> {
    if !has_its_sum(block) {
        return None;
    }
    let name = text(block.get(..100)?);
    let prefix = if block.get(257..262)? == b"ustar" && block.get(263..265)? == b"00" {
        text(block.get(345..500)?)
    } else {
        String::new()
    };
    let kind = match block.get(156)? {
        b'0' | 0 | b'7' => Kind::File,
        b'x' => Kind::Properties,
        b'L' => Kind::LongName,
        b'K' => Kind::LongLink,
        b'1'..=b'6' => Kind::Other(false),
        _ => Kind::Other(true),
    };
    let size = number(block.get(124..136)?)?;
    Some(Head { name: if prefix.is_empty() { name } else { format!("{prefix}/{name}") }, size, kind })
}

/// How many bytes so many bytes take with what fills their last block.
pub(crate) fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK as u64)
}

/// The text in a field, or of a long name: what stands before the first zero.
pub(super) fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// A property of the next entry; the last of several counts.
pub(super) fn property(mut lines: &[u8], key: &str) -> Option<String> {
    let mut found = None;
    while let Some(space) = lines.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&lines[..space]).ok()?.parse().ok()?;
        let line = lines.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) = line.strip_prefix(key.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) {
            found = Some(String::from_utf8_lossy(value).into_owned());
        }
        lines = &lines[length..];
    }
    found
}

/// A number in octal digits, or in bytes where the digits would not do.
pub(crate) fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = u64::from(first & 0x7f);
        return rest.iter().try_fold(start, |number, byte| Some(number.checked_mul(256)? | u64::from(*byte)));
    }
    let digits = text(field);
    match digits.trim() {
        "" => Some(0),
        digits => u64::from_str_radix(digits, 8).ok(),
    }
}

/// Whether the sum that a head bears is that of its bytes, the sum itself taken for spaces.
pub(crate) fn has_its_sum(block: &[u8]) -> bool {
    let Some(sum) = block.get(148..156).and_then(number) else { return false };
    let counted = |(at, byte): (usize, &u8)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte });
    block.len() == BLOCK && block.iter().enumerate().map(counted).sum::<u64>() == sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_digits_and_in_bytes() {
        let mut huge = [0; 12];
        (huge[0], huge[7]) = (0x80, 2);
        assert_eq!(number(&huge), Some(2 << 32));
        for (field, expected) in [
            (b"0000017\0".as_slice(), Some(15)),
            (b" 17 \0\0\0\0", Some(15)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"9", None),
            (b"-1", None),
            (b"", None),
            (&[0xff; 12], None),
            (&[0x80], Some(0)),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }

    #[test]
    fn properties_of_the_next_entry() {
        let lines = b"12 path=a/b\n9 size=7\n12 path=c/d\n";
        assert_eq!(
            (property(lines, "path").unwrap(), property(lines, "size").unwrap()),
            ("c/d".to_owned(), "7".to_owned())
        );
        for bad in [b"x".as_slice(), b"99 path=a\n", b"0 path=a\n", b"1 ", b"6 path"] {
            assert_eq!(property(bad, "path"), None, "{bad:?}");
        }
    }

    #[test]
    fn a_head_needs_its_sum() {
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("{}/layer.tar", "d".repeat(120))).unwrap();
        header.set_size(700);
        header.set_cksum();
        let head = parse(header.as_bytes()).unwrap();
        assert_eq!((head.name, head.size, head.kind), (format!("{}/layer.tar", "d".repeat(120)), 700, Kind::File));
        let mut broken = *header.as_bytes();
        broken[0] ^= 1;
        assert_eq!(parse(&broken), None);
        assert_eq!(parse(&[]), None);
    }
}
