//! Archives in the form of zip, written to a stream: sizes and checksums follow the bytes. Only what does not fit
//! into 32 bits is told in 64, since not every program reads that. Names are UTF-8; what is none is written as `%` and two hexadecimal digits.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use jiff::tz::TimeZone;
use pierhead_model::FileName;
use std::io::{self, Write};

/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Sizes and checksum follow the bytes.
const FOLLOWS: u16 = 1 << 3;
/// Deflate.
const METHOD: u16 = 8;
/// The version that is needed to read it, without numbers of 64 bits and with them.
const NEEDED: [u16; 2] = [20, 45];
/// The version that made it, on Unix: the mode of a file counts.
const MADE_BY: u16 = 3 << 8 | 45;
/// What stands where a number of 64 bits is told elsewhere; no other number is as large.
const ELSEWHERE: u64 = u32::MAX as u64;

/// An archive that is being written.
pub(super) struct Zip<W> {
    into: Counted<W>,
    index: Vec<u8>,
    count: u64,
}

struct Counted<W> {
    into: W,
    written: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// What is packed together on its way through: how long it is, and its checksum.
struct Checked<'a, W: Write> {
    into: DeflateEncoder<&'a mut Counted<W>>,
    crc: Crc,
    size: u64,
}

impl<W: Write> Write for Checked<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.crc.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// What the index says of a file.
struct Entry {
    name: Vec<u8>,
    mode: u32,
    moment: [u8; 4],
    crc: u32,
    packed: u64,
    size: u64,
    at: u64,
    is_wide: bool,
}

impl<W: Write> Zip<W> {
    pub(super) fn new(into: W) -> Self {
        Self { into: Counted { into, written: 0 }, index: Vec::new(), count: 0 }
    }

    /// A folder; what is in it has names that begin with its own.
    pub(super) fn folder(&mut self, path: &[u8], mode: u32, seconds: i64) -> io::Result<()> {
        let name = [named(path).as_bytes(), b"/"].concat();
        let entry = Entry { at: self.into.written, ..Entry::new(name, mode, seconds, 0) };
        self.into.write_all(&entry.local(0, UTF8))?;
        self.note(&entry, 0, UTF8);
        Ok(())
    }

    /// A file of at most so many bytes, which `write` writes.
    pub(super) fn file(
        &mut self,
        path: &[u8],
        mode: u32,
        seconds: i64,
        most: u64,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut entry = Entry::new(named(path).into_bytes(), mode, seconds, most);
        entry.at = self.into.written;
        self.into.write_all(&entry.local(METHOD, UTF8 | FOLLOWS))?;
        let begin = self.into.written;
        (entry.crc, entry.size) = deflate(&mut self.into, write)?;
        entry.packed = self.into.written - begin;
        let mut follows = Bytes::signed(*b"PK\x07\x08").long(entry.crc);
        for size in [entry.packed, entry.size] {
            follows = if entry.is_wide { follows.wide(size) } else { follows.narrow(size) };
        }
        self.into.write_all(&follows.0)?;
        self.note(&entry, METHOD, UTF8 | FOLLOWS);
        Ok(())
    }

    fn note(&mut self, entry: &Entry, method: u16, flags: u16) {
        // Behind the name stands what does not fit, in this order.
        let wide: Vec<u64> =
            [entry.size, entry.packed, entry.at].into_iter().filter(|number| *number >= ELSEWHERE).collect();
        let extra = extra(&wide);
        let is_folder = entry.name.ends_with(b"/");
        let bytes = Bytes::signed(*b"PK\x01\x02").short(MADE_BY).short(NEEDED[usize::from(entry.is_wide)]);
        let bytes = bytes.short(flags).short(method).bytes(&entry.moment).long(entry.crc);
        let bytes = bytes.narrow(entry.packed).narrow(entry.size).length(&entry.name).length(&extra);
        // No comment, the first disk, nothing known of what is in it.
        let bytes = bytes.short(0).short(0).short(0).long((entry.mode & 0xffff) << 16 | u32::from(is_folder) << 4);
        let bytes = bytes.narrow(entry.at).bytes(&entry.name).bytes(&extra);
        self.index.extend_from_slice(&bytes.0);
        self.count += 1;
    }

    /// Writes the index.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let begin = self.into.written;
        let index = std::mem::take(&mut self.index);
        self.into.write_all(&index)?;
        let (end, count) = (self.into.written, self.count);
        let mut last = Bytes::default();
        if end >= ELSEWHERE || count >= u64::from(u16::MAX) {
            last = last.bytes(b"PK\x06\x06").wide(44).short(MADE_BY).short(NEEDED[1]).long(0).long(0);
            last = last.wide(count).wide(count).wide(end - begin).wide(begin);
            last = last.bytes(b"PK\x06\x07").long(0).wide(end).long(1);
        }
        let shown = u16::try_from(count).unwrap_or(u16::MAX);
        let last = last.bytes(b"PK\x05\x06").long(0).short(shown).short(shown);
        let last = last.narrow(end - begin).narrow(begin).short(0);
        self.into.write_all(&last.0)?;
        self.into.flush()
    }
}

/// Packs what `write` writes; its checksum, and how long it is.
fn deflate<W: Write>(
    into: &mut Counted<W>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u32, u64)> {
    let encoder = DeflateEncoder::new(into, Compression::fast());
    let mut checked = Checked { into: encoder, crc: Crc::new(), size: 0 };
    write(&mut checked)?;
    let Checked { into, crc, size } = checked;
    into.finish()?;
    Ok((crc.sum(), size))
}

impl Entry {
    fn new(name: Vec<u8>, mode: u32, seconds: i64, most: u64) -> Self {
        // What is packed may become a little longer than it was.
        let is_wide = most >= ELSEWHERE - (ELSEWHERE >> 8);
        Self { name, mode, moment: moment(seconds), crc: 0, packed: 0, size: 0, at: 0, is_wide }
    }

    /// What stands before the file.
    fn local(&self, method: u16, flags: u16) -> Vec<u8> {
        let extra = if self.is_wide { extra(&[0, 0]) } else { Vec::new() };
        let sizes = if self.is_wide { ELSEWHERE } else { 0 };
        let bytes = Bytes::signed(*b"PK\x03\x04").short(NEEDED[usize::from(self.is_wide)]).short(flags).short(method);
        let bytes = bytes.bytes(&self.moment).long(0).narrow(sizes).narrow(sizes);
        bytes.length(&self.name).length(&extra).bytes(&self.name).bytes(&extra).0
    }
}

/// Numbers in the order in which the format has them.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn signed(signature: [u8; 4]) -> Self {
        Self(signature.to_vec())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn short(self, number: u16) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn long(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn wide(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// In 32 bits, if it fits.
    fn narrow(self, number: u64) -> Self {
        self.long(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn length(self, of: &[u8]) -> Self {
        self.short(u16::try_from(of.len()).unwrap_or(u16::MAX))
    }
}

/// Numbers of 64 bits behind a name.
fn extra(numbers: &[u64]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    if numbers.is_empty() { numbers } else { Bytes::default().short(1).length(&numbers).bytes(&numbers).0 }
}

/// A path of which every part can be told as text.
fn named(path: &[u8]) -> String {
    let part = |part: &[u8]| match std::str::from_utf8(part) {
        Ok(text) => text.to_owned(),
        Err(_) => FileName::of_bytes(part).map(|name| name.to_string()).unwrap_or_default(),
    };
    path.split(|byte| *byte == b'/').map(part).collect::<Vec<_>>().join("/")
}

/// A moment in UTC, as it was told in 1980: two seconds are the least.
fn moment(seconds: i64) -> [u8; 4] {
    let at = jiff::Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::UTC);
    let number = |number: i8| u16::try_from(number).unwrap_or_default();
    let (year, time) = match at.year() {
        year @ 1980..=2107 => {
            (year, (number(at.hour()) << 11) | (number(at.minute()) << 5) | (number(at.second()) / 2))
        }
        _ => return [0, 0, 0x21, 0],
    };
    let year = u16::try_from(year - 1980).unwrap_or_default();
    let date = (year << 9) | (number(at.month()) << 5) | number(at.day());
    let ([a, b], [c, d]) = (time.to_le_bytes(), date.to_le_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests;
