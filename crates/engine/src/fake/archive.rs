//! Reads what an image archive holds out of its bytes.

use serde::Deserialize;

const BLOCK: usize = 512;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

/// An image in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Archived {
    pub(super) id: String,
    pub(super) tags: Vec<String>,
}

/// The images in an archive as `docker save` makes it; `None` if it is not one. Of several files of the same name the
/// last one counts.
pub(super) fn images(archive: &[u8]) -> Option<Vec<Archived>> {
    let (mut rest, mut manifest) = (archive, None);
    while let (Some(header), true) = (rest.get(..BLOCK), rest.first().is_some_and(|byte| *byte != 0)) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            std::str::from_utf8(field.split(|byte| *byte == 0).next().unwrap_or(field)).ok()
        };
        let size = usize::from_str_radix(text(124..136)?.trim(), 8).ok()?;
        let content = rest.get(BLOCK..BLOCK.checked_add(size)?)?;
        if text(0..100)?.trim_start_matches("./") == "manifest.json" {
            manifest = Some(content);
        }
        rest = rest.get(BLOCK + size.next_multiple_of(BLOCK)..)?;
    }
    let entries: Vec<Entry> = serde_json::from_slice(manifest?).ok()?;
    Some(entries.into_iter().map(archived).collect())
}

fn archived(entry: Entry) -> Archived {
    let file = entry.config.rsplit('/').next().unwrap_or_default();
    Archived { id: format!("sha256:{}", file.trim_end_matches(".json")), tags: entry.repo_tags.unwrap_or_default() }
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

    fn archived(id: &str, tags: &[&str]) -> Archived {
        Archived { id: format!("sha256:{id}"), tags: tags.iter().map(|&tag| tag.to_owned()).collect() }
    }

    #[test]
    fn the_images_in_an_archive() {
        let manifest =
            br#"[{"Config":"c.json","RepoTags":["a:1","b:2"],"Layers":[]},{"Config":"blobs/sha256/d","RepoTags":null}]"#;
        let files: [(&str, &[u8]); 2] = [("layer.tar", &[7; 1000]), ("manifest.json", manifest)];
        assert_eq!(images(&tar(&files)).unwrap(), [archived("c", &["a:1", "b:2"]), archived("d", &[])]);
        let later: &[u8] = br#"[{"Config":"c.json","RepoTags":["z:1"]}]"#;
        let again = tar(&[files[1], files[0], ("manifest.json", later)]);
        assert_eq!(images(&again).unwrap(), [archived("c", &["z:1"])]);
    }

    #[test]
    fn what_is_no_archive() {
        assert_eq!(images(b""), None);
        assert_eq!(images(&[b'x'; 2000]), None);
        assert_eq!(images(&tar(&[("other", b"x")])), None);
        assert_eq!(images(&tar(&[("manifest.json", b"{")])), None);
        let whole = tar(&[("manifest.json", b"[]")]);
        assert_eq!(images(&whole[..513]), None);
    }
}
