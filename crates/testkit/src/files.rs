//! Files of containers in memory, as a host with an agent would have them.

use futures_util::{StreamExt, TryStreamExt, stream};
use pierhead_api::{FileBytes, FilePlace, FileRefusal, WorkspaceFiles};
use pierhead_model::{
    ContainerId, FileAct, FileBefore, FileEntry, FileKind, FileListing, FilePath, FileTold, Timestamp,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Files and folders by their paths; a folder has no bytes.
type Tree = BTreeMap<FilePath, Option<Vec<u8>>>;

/// The files of all containers, each of which has a folder `/srv` at first. What their hosts could refuse for other
/// reasons than that something is there or is not is refused by none.
#[derive(Debug, Default)]
pub struct MemoryFiles(Mutex<BTreeMap<ContainerId, Tree>>);

#[async_trait::async_trait]
impl WorkspaceFiles for MemoryFiles {
    async fn act(
        &self,
        place: &FilePlace,
        act: FileAct,
        bytes: FileBytes,
    ) -> Result<(FileTold, FileBytes), FileRefusal> {
        let came: Vec<bytes::Bytes> = bytes.try_collect().await.map_err(|_| refused("broke_off"))?;
        let mut trees = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let home = || Tree::from([(FilePath::parse("/srv").expect("it is a path"), None)]);
        let tree = trees.entry(place.container.clone()).or_insert_with(home);
        let (told, bytes) = answer(tree, act, came.concat())?;
        Ok((told, stream::iter(bytes.map(|bytes| Ok(bytes.into()))).boxed()))
    }
}

fn answer(tree: &mut Tree, act: FileAct, came: Vec<u8>) -> Result<(FileTold, Option<Vec<u8>>), FileRefusal> {
    match act {
        FileAct::List { path } => {
            let in_it = tree.iter().filter(|(file, _)| file.split().is_some_and(|(folder, _)| folder == path));
            let entries: Vec<FileEntry> = in_it.map(|(file, bytes)| entry(file, bytes.as_deref())).collect();
            match entries.is_empty() && path != FilePath::root() && !tree.contains_key(&path) {
                true => Err(refused("no_such_file")),
                false => Ok((FileTold::Listing(FileListing { entries, has_more: false }), None)),
            }
        }
        FileAct::Read { path } => match tree.get(&path) {
            Some(Some(bytes)) => Ok((FileTold::Entry(entry(&path, Some(bytes))), Some(bytes.clone()))),
            Some(None) => Err(refused("is_a_folder")),
            None => Err(refused("no_such_file")),
        },
        FileAct::Pack { path, .. } => {
            let mut tar = tar::Builder::new(Vec::new());
            for (file, bytes) in tree.iter().filter(|(file, _)| file.is_within(&path)) {
                let Some(bytes) = bytes else { continue };
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                let name = file.to_string();
                tar.append_data(&mut header, name.trim_start_matches('/'), bytes.as_slice())
                    .map_err(|_| refused("failed"))?;
            }
            Ok((FileTold::Done, Some(tar.into_inner().map_err(|_| refused("failed"))?)))
        }
        FileAct::Write { path, before, .. } => {
            let there = tree.get(&path).and_then(|bytes| bytes.as_deref());
            match before {
                FileBefore::Absent if tree.contains_key(&path) => return Err(refused("exists")),
                FileBefore::Tagged(tag) if there.is_none_or(|there| tag_of(there) != tag) => {
                    return Err(refused("changed"));
                }
                _ => {}
            }
            tree.insert(path.clone(), Some(came));
            shown(tree, &path)
        }
        FileAct::MakeFolder { path, parents } => {
            if tree.contains_key(&path) && !parents {
                return Err(refused("exists"));
            }
            tree.entry(path.clone()).or_insert(None);
            shown(tree, &path)
        }
        FileAct::Move { path, to, replaces } => {
            if tree.contains_key(&path) && tree.contains_key(&to) && !replaces {
                return Err(refused("exists"));
            }
            let moved = tree.remove(&path).ok_or_else(|| refused("no_such_file"))?;
            tree.insert(to.clone(), moved);
            shown(tree, &to)
        }
        FileAct::Remove { path, recursive } => {
            let is_full = tree.keys().any(|file| *file != path && file.is_within(&path));
            if is_full && !recursive {
                return Err(refused("not_empty"));
            }
            tree.get(&path).ok_or_else(|| refused("no_such_file"))?;
            tree.retain(|file, _| !file.is_within(&path));
            Ok((FileTold::Done, None))
        }
    }
}

fn shown(tree: &Tree, path: &FilePath) -> Result<(FileTold, Option<Vec<u8>>), FileRefusal> {
    let bytes = tree.get(path).ok_or_else(|| refused("no_such_file"))?;
    Ok((FileTold::Entry(entry(path, bytes.as_deref())), None))
}

fn entry(path: &FilePath, bytes: Option<&[u8]>) -> FileEntry {
    FileEntry {
        name: path.split().map(|(_, name)| name),
        kind: if bytes.is_some() { FileKind::File } else { FileKind::Folder },
        size: bytes.map_or(0, |bytes| bytes.len() as u64),
        mode: 0o644,
        modified: Timestamp(1_795_299_006_120),
        tag: tag_of(bytes.unwrap_or_default()),
        target: None,
        leads_to: None,
    }
}

fn tag_of(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("{sum:x}-{:x}", bytes.len())
}

fn refused(code: &str) -> FileRefusal {
    FileRefusal { code: code.to_owned(), message: format!("it was refused: {code}") }
}
