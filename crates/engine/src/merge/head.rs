//! Heads of entries, read and made: names are bytes, nothing says that they are text. Pure.

use crate::layers::entry::BLOCK;

/// How long a name may be that stands in a head itself, in bytes.
const LONGEST_NAME: usize = 100;

/// A property of the next entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// What stands before the first zero.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// The name in a head.
pub(super) fn name(block: &[u8]) -> Vec<u8> {
    let prefix = if is_posix(block) { text(&block[345..500]) } else { b"" };
    match prefix {
        b"" => text(&block[..LONGEST_NAME]).to_vec(),
        prefix => [prefix, b"/", text(&block[..LONGEST_NAME])].concat(),
    }
}

fn is_posix(block: &[u8]) -> bool {
    &block[257..262] == b"ustar" && &block[263..265] == b"00"
}

/// Properties, as lines of `length key=value`.
pub(super) fn records(mut lines: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    while !lines.is_empty() {
        let space = lines.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&lines[..space]).ok()?.parse().ok()?;
        let line = lines.get(space + 1..length)?.strip_suffix(b"\n")?;
        let is = line.iter().position(|byte| *byte == b'=')?;
        records.push(Record { key: line[..is].to_vec(), value: line[is + 1..].to_vec() });
        lines = &lines[length..];
    }
    Some(records)
}

/// The heads of an entry, with another name.
pub(super) fn renamed(heads: &[u8], name: &[u8]) -> Vec<u8> {
    rewritten(heads, b"path", name)
}

/// The heads of a link, with another target.
pub(super) fn relinked(heads: &[u8], target: &[u8]) -> Vec<u8> {
    rewritten(heads, b"linkpath", target)
}

/// The head of a file of no bytes, which is root's.
pub(super) fn empty(name: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[100..108].copy_from_slice(b"0000600\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    block[124..136].copy_from_slice(b"00000000000\0");
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = b'0';
    block[257..265].copy_from_slice(b"ustar\x0000");
    renamed(&block, name)
}

/// The head of a file of so many bytes, to be read by everybody; its name is short.
pub(super) fn plain(name: &str, size: u64) -> Vec<u8> {
    let mut block = empty(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    set_size(&mut block, size);
    seal(&mut block);
    block
}

/// The heads with one property said anew, in a form that is as long as it likes and takes any bytes.
fn rewritten(heads: &[u8], key: &[u8], value: &[u8]) -> Vec<u8> {
    let (ahead, block) = heads.split_at(heads.len() - BLOCK);
    let mut block = block.to_vec();
    let mut said = all_said(ahead);
    said.retain(|record| record.key != key);
    match key {
        b"path" => {
            if is_posix(&block) {
                block[345..500].fill(0);
            }
            set_text(&mut block[..LONGEST_NAME], value);
        }
        _ => set_text(&mut block[157..257], value),
    }
    if value.len() >= LONGEST_NAME || !value.is_ascii() {
        said.push(Record { key: key.to_vec(), value: value.to_vec() });
    }
    seal(&mut block);
    if said.is_empty() {
        return block;
    }
    let lines: Vec<u8> = said.iter().flat_map(line).collect();
    let mut head = vec![0; BLOCK];
    set_text(&mut head[..LONGEST_NAME], b"PaxHeaders.0/entry");
    head[100..108].copy_from_slice(b"0000644\0");
    head[156] = b'x';
    head[257..265].copy_from_slice(b"ustar\x0000");
    set_size(&mut head, lines.len() as u64);
    seal(&mut head);
    let filled = lines.len().next_multiple_of(BLOCK);
    head.extend(lines);
    head.resize(BLOCK + filled, 0);
    [head, block].concat()
}

/// All that stands before the last head, as properties; what is said later counts.
fn all_said(mut ahead: &[u8]) -> Vec<Record> {
    let mut said: Vec<Record> = Vec::new();
    while ahead.len() > BLOCK {
        let size = crate::layers::entry::number(&ahead[124..136]).and_then(|size| usize::try_from(size).ok());
        let content = ahead.get(BLOCK..BLOCK.saturating_add(size.unwrap_or(0))).unwrap_or_default();
        match ahead[156] {
            b'x' => said.extend(records(content).unwrap_or_default()),
            b'L' => said.insert(0, Record { key: b"path".to_vec(), value: text(content).to_vec() }),
            _ => said.insert(0, Record { key: b"linkpath".to_vec(), value: text(content).to_vec() }),
        }
        ahead = ahead.get(BLOCK + content.len().next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    said
}

/// A property as a line, which begins with its own length.
fn line(record: &Record) -> Vec<u8> {
    let rest = record.key.len() + record.value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", &record.key, b"=", &record.value, b"\n"].concat()
}

fn set_text(field: &mut [u8], value: &[u8]) {
    field.fill(0);
    let kept = value.len().min(field.len());
    field[..kept].copy_from_slice(&value[..kept]);
}

/// Eleven octal digits hold less than 8 GiB; beyond that the bytes of the number stand there.
fn set_size(block: &mut [u8], size: u64) {
    let field = &mut block[124..136];
    if size < 1 << 33 {
        field.copy_from_slice(format!("{size:011o}\0").as_bytes());
    } else {
        field.fill(0);
        field[0] = 0x80;
        field[4..].copy_from_slice(&size.to_be_bytes());
    }
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_its_own_length() {
        for value in [0, 1, 3, 4, 88, 89, 90, 91, 985, 990, 991, 992, 993] {
            let record = Record { key: b"path".to_vec(), value: vec![b'v'; value] };
            let line = line(&record);
            assert_eq!(records(&line), Some(vec![record]), "{value}");
            assert!(line.starts_with(format!("{} ", line.len()).as_bytes()));
        }
        for bad in [b"x".as_slice(), b"99 path=a\n", b"0 path=a\n", b"1 ", b"7 path\n", b"5 a=b"] {
            assert_eq!(records(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_name_may_hold_the_end_of_a_line() {
        let heads = renamed(&empty(b"x"), b"long/".repeat(30).as_slice());
        for name in [b"a\n12 path=b\n\xff".as_slice(), b"\n"] {
            let named = renamed(&heads, name);
            let said = all_said(&named[..named.len() - BLOCK]);
            let found =
                said.first().map_or_else(|| self::name(&named[named.len() - BLOCK..]), |said| said.value.clone());
            assert_eq!((found.as_slice(), said.is_empty()), (name, name.is_ascii()));
        }
    }

    #[test]
    fn sizes_beyond_what_digits_hold() {
        for size in [0, 511, (1 << 33) - 1, 1 << 33, u64::from(u32::MAX) << 8] {
            assert_eq!(crate::layers::entry::number(&plain("a", size)[124..136]), Some(size));
        }
    }

    #[test]
    fn what_else_is_said_of_an_entry_stays() {
        let mut builder = tar::Builder::new(Vec::new());
        let records = [("SCHILY.xattr.user.a", b"\xff=\t".as_slice()), ("path", b"old"), ("mtime", b"7.5")];
        builder.append_pax_extensions(records).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("{}/x", "p".repeat(120))).unwrap();
        header.set_size(0);
        header.set_cksum();
        let mut heads = builder.into_inner().unwrap();
        heads.truncate(heads.len() - 1024);
        heads.extend(header.as_bytes());
        for name in [b"new".to_vec(), b"long/".repeat(60), b"\xff\xfe".to_vec()] {
            let mut archive = renamed(&heads, &name);
            archive.extend([0; 1024]);
            let mut archive = tar::Archive::new(archive.as_slice());
            let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(entry.path_bytes().as_ref(), name);
            let extensions = entry.pax_extensions().unwrap().unwrap();
            let said: Vec<_> = extensions.map(|one| one.unwrap().value_bytes().to_vec()).collect();
            assert_eq!(said[..2], [b"\xff=\t".to_vec(), b"7.5".to_vec()]);
        }
    }
}
