//! A folder as a tar archive that is made while it is read.

use super::directory::Directory;
use pierhead_lab::{Files, LabPath};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::vec::IntoIter;

/// The size of a block, in bytes.
const BLOCK: u64 = 512;

/// A folder as a tar archive. What becomes shorter while it is read is an error.
pub(super) struct FolderTar {
    files: IntoIter<(LabPath, PathBuf)>,
    now: Option<Part>,
    has_ended: bool,
}

struct Part {
    head: Cursor<Vec<u8>>,
    content: io::Take<File>,
    padding: io::Take<io::Repeat>,
}

impl FolderTar {
    /// All files of a folder that are wanted.
    pub(super) fn of(folder: &Directory, wanted: impl Fn(&LabPath) -> bool) -> Self {
        let files = folder.list().iter().map(|(path, _)| path).filter(|path| wanted(path));
        let files: Vec<(LabPath, PathBuf)> = files.map(|path| (path.clone(), folder.place(path))).collect();
        Self { files: files.into_iter(), now: None, has_ended: false }
    }
}

impl Part {
    fn begin(path: &LabPath, place: PathBuf) -> io::Result<Self> {
        let said = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", place.display()));
        let file = File::open(&place).map_err(said)?;
        let found = file.metadata().map_err(said)?;
        let size = found.len();
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(if is_executable(&found) { 0o755 } else { 0o644 });
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut header, path.as_str(), io::empty())?;
        let head = Cursor::new(std::mem::take(builder.get_mut()));
        let padding = io::repeat(0).take((BLOCK - size % BLOCK) % BLOCK);
        Ok(Self { head, content: file.take(size), padding })
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.read(buffer)? {
            0 => {}
            read => return Ok(read),
        }
        match self.content.read(buffer)? {
            0 if self.content.limit() > 0 => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file became shorter while it was read"))
            }
            0 => self.padding.read(buffer),
            read => Ok(read),
        }
    }
}

impl Read for FolderTar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(part) = &mut self.now {
                match part.read(buffer)? {
                    0 if !buffer.is_empty() => self.now = None,
                    read => return Ok(read),
                }
            }
            match self.files.next() {
                Some((path, place)) => self.now = Some(Part::begin(&path, place)?),
                None if self.has_ended => return Ok(0),
                None => {
                    self.has_ended = true;
                    let most = buffer.len().min(2 * BLOCK as usize);
                    buffer[..most].fill(0);
                    return Ok(most);
                }
            }
        }
    }
}

#[cfg(unix)]
fn is_executable(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_lab::Problems;
    use std::fs;

    #[test]
    fn a_folder_is_packed_as_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let deep = format!("{}/b.txt", "a".repeat(120));
        fs::create_dir(folder.path().join("a".repeat(120))).unwrap();
        for (path, size) in [("empty", 0), ("one", 1), ("block", 512), ("more", 70_000), (deep.as_str(), 3)] {
            fs::write(folder.path().join(path), vec![7_u8; size]).unwrap();
        }
        let read = Directory::open(folder.path(), &LabPath::root(), &mut Problems::default()).unwrap().unwrap();
        let mut archive = tar::Archive::new(FolderTar::of(&read, |path| path.as_str() != "one"));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            found.push((entry.path().unwrap().display().to_string(), content.len()));
        }
        found.sort();
        assert_eq!(found, [(deep, 3), ("block".to_owned(), 512), ("empty".to_owned(), 0), ("more".to_owned(), 70_000)]);
    }
}
