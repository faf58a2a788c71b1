//! What is written is read again, by a reader of its own.

use super::*;
use flate2::read::DeflateDecoder;
use std::io::Read;

/// A file of an archive, as its index and what stands before it tell.
#[derive(Debug, PartialEq, Eq)]
struct Packed {
    name: String,
    mode: u32,
    bytes: Vec<u8>,
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn read(archive: &[u8]) -> Vec<Packed> {
    let end = archive.len() - 22;
    assert_eq!(&archive[end..end + 4], b"PK\x05\x06");
    let (count, size, mut at) =
        (number(archive, end + 10, 2), number(archive, end + 12, 4), number(archive, end + 16, 4) as usize);
    assert_eq!(at + size as usize, end);
    let mut all = Vec::new();
    for _ in 0..count {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let field = |offset, length| number(archive, at + offset, length);
        let (packed, size, begin) = (field(20, 4) as usize, field(24, 4), field(42, 4) as usize);
        let (name_length, extra) = (field(28, 2) as usize, field(30, 2) as usize);
        let name = &archive[at + 46..at + 46 + name_length];
        assert_eq!(&archive[begin..begin + 4], b"PK\x03\x04");
        assert_eq!(&archive[begin + 30..begin + 30 + name_length], name);
        let data = begin + 30 + name_length + number(archive, begin + 28, 2) as usize;
        let mut bytes = Vec::new();
        if field(10, 2) == 8 {
            DeflateDecoder::new(&archive[data..data + packed]).read_to_end(&mut bytes).unwrap();
            assert_eq!(&archive[data + packed..data + packed + 4], b"PK\x07\x08");
            assert_eq!(number(archive, data + packed + 4, 4), field(16, 4));
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        assert_eq!((bytes.len() as u64, u64::from(crc.sum())), (size, field(16, 4)));
        all.push(Packed { name: String::from_utf8(name.to_vec()).unwrap(), mode: (field(38, 4) >> 16) as u32, bytes });
        at += 46 + name_length + extra;
    }
    all
}

#[test]
fn what_is_packed_is_read_again() {
    let mut archive = Vec::new();
    let mut zip = Zip::new(&mut archive);
    let long: Vec<u8> = (0..300_000u32).map(|at| (at.wrapping_mul(at) % 251) as u8).collect();
    zip.folder(b"a", 0o040_755, 1_795_299_006).unwrap();
    zip.file(b"a/empty", 0o100_600, 0, 0, |_| Ok(())).unwrap();
    zip.file(b"a/\xe6\x96\x87 \xff\n", 0o100_644, -5, 300_000, |into| into.write_all(&long)).unwrap();
    zip.finish().unwrap();
    let found = read(&archive);
    let names: Vec<_> = found.iter().map(|file| (file.name.as_str(), file.mode)).collect();
    // What is good UTF-8 of a name stays as it is.
    assert_eq!(names, [("a/", 0o040_755), ("a/empty", 0o100_600), ("a/文 %FF\n", 0o100_644)]);
    assert!(found[1].bytes.is_empty() && found[2].bytes == long);
}

#[test]
fn what_is_longer_than_32_bits_is_told_in_64() {
    let entry = Entry::new(b"a".to_vec(), 0o100_644, 0, 1 << 33);
    let local = entry.local(METHOD, UTF8 | FOLLOWS);
    assert_eq!((number(&local, 4, 2), number(&local, 18, 4), number(&local, 28, 2)), (45, ELSEWHERE, 20));
    let mut archive = Vec::new();
    let mut zip = Zip::new(&mut archive);
    zip.note(&Entry { size: 1 << 33, packed: 5, at: 1 << 34, ..entry }, METHOD, UTF8 | FOLLOWS);
    let index = zip.index.clone();
    assert_eq!((number(&index, 20, 4), number(&index, 24, 4), number(&index, 42, 4)), (5, ELSEWHERE, ELSEWHERE));
    let extra = &index[47..];
    assert_eq!((number(extra, 0, 2), number(extra, 2, 2)), (1, 16));
    assert_eq!((number(extra, 4, 8), number(extra, 12, 8)), (1 << 33, 1 << 34), "what does not fit, in its order");
    zip.count = 70_000;
    zip.finish().unwrap();
    let end = archive.len() - 22;
    assert_eq!(number(&archive, end + 10, 2), 0xffff);
    assert_eq!(&archive[end - 20..end - 16], b"PK\x06\x07");
    let at = number(&archive, end - 12, 8) as usize;
    assert_eq!(&archive[at..at + 4], b"PK\x06\x06");
    assert_eq!(number(&archive, at + 32, 8), 70_000);
}

#[test]
fn moments_are_those_of_1980() {
    // 2026-11-21 22:10:06 UTC.
    let [a, b, c, d] = moment(1_795_299_006);
    let (time, date) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    assert_eq!((time >> 11, time >> 5 & 63, time & 31), (22, 10, 3));
    assert_eq!((date >> 9, date >> 5 & 15, date & 31), (46, 11, 21));
    for odd in [0, -1, i64::MAX, 5_000_000_000] {
        assert_eq!(moment(odd), [0, 0, 0x21, 0], "{odd}");
    }
}
