//! Reads the names out of an image archive.

use serde::Deserialize;

const BLOCK: usize = 512;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

/// The names of the images in an archive as `docker save` makes it; `None` if it is not one.
pub(super) fn names(archive: &[u8]) -> Option<Vec<String>> {
    let mut rest = archive;
    while let (Some(header), true) = (rest.get(..BLOCK), rest.first().is_some_and(|byte| *byte != 0)) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            std::str::from_utf8(field.split(|byte| *byte == 0).next().unwrap_or(field)).ok()
        };
        let size = usize::from_str_radix(text(124..136)?.trim(), 8).ok()?;
        let content = rest.get(BLOCK..BLOCK.checked_add(size)?)?;
        if text(0..100)?.trim_start_matches("./") == "manifest.json" {
            let entries: Vec<Entry> = serde_json::from_slice(content).ok()?;
            return Some(entries.into_iter().flat_map(|entry| entry.repo_tags.unwrap_or_default()).collect());
        }
        rest = rest.get(BLOCK + size.next_multiple_of(BLOCK)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn the_names_in_an_archive() {
        let manifest = br#"[{"Config":"c.json","RepoTags":["a:1","b:2"],"Layers":[]},{"RepoTags":null}]"#;
        let archive = tar(&[("layer.tar", &[7; 1000]), ("manifest.json", manifest)]);
        assert_eq!(names(&archive).unwrap(), ["a:1", "b:2"]);
    }

    #[test]
    fn what_is_no_archive() {
        assert_eq!(names(b""), None);
        assert_eq!(names(&[b'x'; 2000]), None);
        assert_eq!(names(&tar(&[("other", b"x")])), None);
        assert_eq!(names(&tar(&[("manifest.json", b"{")])), None);
        let whole = tar(&[("manifest.json", b"[]")]);
        assert_eq!(names(&whole[..513]), None);
    }
}
