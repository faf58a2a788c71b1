//! Labs as archives: sent in as a whole, imported, fetched; and those that nobody should send.

use crate::labs::{Bed, HEAD, content_of};
use crate::raw::{Answer, Sender, snapshot};
use serde_json::Value;

/// A tar archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A zip archive of these files, each with the size that it claims to have.
fn zip(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, size, content) in files {
        let at = u32::try_from(bytes.len()).unwrap();
        let packed = u32::try_from(content.len()).unwrap();
        let mut fields = Vec::new();
        for word in [20_u16, 0, 0, 0, 0] {
            fields.extend(word.to_le_bytes());
        }
        fields.extend(crc32(content).to_le_bytes());
        fields.extend(packed.to_le_bytes());
        fields.extend(size.to_le_bytes());
        fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        fields.extend(0_u16.to_le_bytes());
        bytes.extend(0x0403_4b50_u32.to_le_bytes());
        bytes.extend(&fields);
        bytes.extend(name.as_bytes());
        bytes.extend_from_slice(content);
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&fields);
        directory.extend([0_u8; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length) = (u32::try_from(bytes.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let count = u16::try_from(files.len()).unwrap();
    bytes.extend(directory);
    bytes.extend(0x0605_4b50_u32.to_le_bytes());
    bytes.extend([0_u8; 4]);
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

fn stored<'a>(name: &'a str, content: &'a str) -> (&'a str, u32, &'a [u8]) {
    (name, u32::try_from(content.len()).unwrap(), content.as_bytes())
}

const SCENARIO: &str = r#"{"title":"Run it","details":{"steps":[{"title":"One","text":"one.md","verify":"one.sh"}]},"backend":{"imageid":"ubuntu"}}"#;

async fn import(sender: &Sender, query: &str, archive: Vec<u8>) -> Answer {
    sender.send("POST", &format!("/api/labs/import?{query}"), archive).await
}

/// What lies in the spool.
fn left(bed: &Bed) -> usize {
    let entries = std::fs::read_dir(bed.cluster.directory().join("labs"));
    entries.map_or(0, |entries| {
        entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "part")).count()
    })
}

#[tokio::test]
async fn a_folder_takes_the_place_of_a_draft_or_nothing_does() {
    let bed = Bed::with_lab().await;
    let draft = "/api/labs/shell/draft";
    let good = tar(&[("lab.yaml", HEAD.as_bytes()), ("steps/1.md", b"# One\n"), ("pages/a.bin", &[0, 1, 2])]);
    let pushed = bed.ann.send("PUT", draft, good.clone()).await;
    assert_eq!((pushed.status, pushed.json()["draft"]["revision"].as_u64()), (200, Some(2)), "{pushed:?}");
    let again = bed.ann.send("PUT", draft, good.clone()).await.json();
    assert_eq!(again["draft"]["revision"].as_u64(), Some(2), "the same is no change");
    let seen = again["draft"]["tree"].as_str().unwrap().to_owned();
    bed.ann.send("PUT", &content_of("notes.md"), "mine").await;
    let stale = crate::labs::only(&bed.ann, &seen);
    let refused = stale.send("PUT", draft, good.clone()).await.refusal();
    assert!(refused.code == "changed_meanwhile" && refused.message.contains("by ann"), "{refused:?}");
    let before = snapshot(&bed.cluster).await;
    let mut cut = good.clone();
    cut.truncate(1500);
    let twice = tar(&[("a", b"1"), ("a", b"2")]);
    let in_the_way = tar(&[("a", b"1"), ("a/b", b"2")]);
    for (bad, code) in [
        (Vec::new(), "bad_archive"),
        (b"nonsense".to_vec(), "bad_archive"),
        (cut, "bad_archive"),
        (tar(&[("../x", b"1")]), "bad_archive"),
        (twice, "bad_archive"),
        (in_the_way, "bad_files"),
    ] {
        assert_eq!(bed.ann.send("PUT", draft, bad).await.refusal().code, code);
    }
    assert_eq!(before, snapshot(&bed.cluster).await);
    // What is fetched can be sent in again.
    let archive = bed.ann.open("/api/labs/shell/archive").await;
    assert_eq!(archive.headers()["content-disposition"], "attachment; filename=\"shell.tar\"");
    let archive = archive.bytes().await.unwrap().to_vec();
    let same = bed.ann.send("PUT", draft, archive).await.json();
    assert_eq!(same["draft"]["revision"].as_u64(), Some(3), "{same}");
    assert_eq!(left(&bed), 0);
}

#[tokio::test]
async fn a_lab_of_another_platform_becomes_one_of_ours() {
    let bed = Bed::set().await;
    let archive = zip(&[
        stored("index.json", SCENARIO),
        stored("one.md", "Do `ls`{{exec}}.\n\n![gone](gone.png)\n"),
        stored("one.sh", "true\n"),
    ]);
    let answer = import(&bed.ann, "", archive.clone()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let imported = answer.json();
    assert_eq!((imported["lab"]["id"].as_str(), imported["lab"]["title"].as_str()), (Some("run-it"), Some("Run it")));
    assert_eq!(
        (imported["report"]["format"].as_str(), imported["report"]["steps"][0]["checks"].as_u64()),
        (Some("katacoda"), Some(1))
    );
    let problem = &imported["report"]["problems"][0];
    assert_eq!((problem["file"].as_str(), problem["line"].as_u64()), (Some("one.md"), Some(3)), "{imported}");
    let page = bed.ann.get("/api/labs/run-it/pages/0").await.json();
    assert_eq!(
        (page["blocks"][0]["code"].as_str(), page["checks"].as_array().unwrap().len()),
        (Some("ls"), 1),
        "{page}"
    );
    // The name is taken; another one is found unless it is said.
    assert_eq!(import(&bed.bob, "", archive.clone()).await.json()["lab"]["id"], "run-it-2");
    assert_eq!(import(&bed.bob, "id=run-it", archive.clone()).await.refusal().code, "exists");
    // An administrator says what an image becomes.
    let table = r#"{"images":{"ubuntu":{"image":"our/ubuntu:1","privileged":true}},"otherwise":{"image":"alpine"}}"#;
    assert_eq!(bed.ann.send("PUT", "/api/lab-images", table).await.refusal().code, "forbidden");
    assert_eq!(bed.admin.send("PUT", "/api/lab-images", table).await.status, 200);
    import(&bed.ann, "id=mapped", archive).await;
    let head = bed.ann.get("/api/labs/mapped/files/content?path=lab.yaml").await.text;
    assert!(head.contains("our/ubuntu:1") && head.contains("privileged: true"), "{head}");
    assert_eq!(bed.ann.get("/api/lab-images").await.json()["images"]["ubuntu"]["image"], "our/ubuntu:1");
    let odd = r#"{"images":{"x":{"image":"UPPER CASE"}},"otherwise":{"image":"alpine"}}"#;
    assert_eq!(bed.admin.send("PUT", "/api/lab-images", odd).await.refusal().field.as_deref(), Some("images"));
}

#[tokio::test]
async fn of_several_labs_one_is_named() {
    let bed = Bed::set().await;
    let archive = zip(&[
        stored("one/index.json", SCENARIO),
        stored("one/one.md", "1\n"),
        stored("one/one.sh", "true\n"),
        stored("two/lab.yaml", HEAD),
        stored("two/steps/1.md", "# Two\n"),
    ]);
    let told = import(&bed.ann, "", archive.clone()).await;
    assert_eq!((told.status, &told.json()["lab"]), (200, &Value::Null), "{told:?}");
    let listed = told.json()["report"]["labs"].clone();
    let paths: Vec<&str> = listed.as_array().unwrap().iter().map(|lab| lab["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["two", "one"], "those of our own format first");
    let two = import(&bed.ann, "path=two", archive.clone()).await.json();
    assert_eq!((two["lab"]["title"].as_str(), two["report"]["format"].as_str()), (Some("Shell"), Some("pierhead")));
    let files = bed.ann.get("/api/labs/shell/files").await.json();
    assert_eq!(files[0]["path"], "lab.yaml", "from its own folder on: {files}");
    assert_eq!(import(&bed.ann, "path=one", archive.clone()).await.status, 201);
    let nowhere = import(&bed.ann, "path=three", archive).await.json();
    assert!(nowhere["report"]["problems"][0]["message"].as_str().unwrap().contains("no lab at this path"), "{nowhere}");
}

#[tokio::test]
async fn hostile_archives_leave_nothing_behind() {
    let bed = Bed::set().await;
    let before = snapshot(&bed.cluster).await;
    let bomb = zip(&[("lab.yaml", u32::MAX - 1, b"x"), ("steps/1.md", 5, b"# One")]);
    let lying = zip(&[stored("lab.yaml", HEAD), ("steps/1.md", 4_000, b"# One")]);
    for (archive, codes) in [
        (Vec::new(), &["bad_archive"][..]),
        (b"PK nonsense".to_vec(), &["bad_archive"]),
        (zip(&[stored("../../etc/passwd", "x")]), &["bad_archive"]),
        (zip(&[stored("lab.yaml", HEAD), stored("lab.yaml", HEAD)]), &["bad_archive"]),
        (bomb, &["bad_files", "bad_archive"]),
        (lying, &["bad_archive"]),
        (tar(&[("/etc/passwd", b"x")]), &["bad_archive"]),
    ] {
        let refusal = import(&bed.ann, "", archive).await.refusal();
        assert!(codes.contains(&refusal.code.as_str()), "{refusal:?}");
    }
    // What is no lab says where and why, and nothing is made.
    for (files, file, words) in [
        (vec![("lab.yaml", &b"title: ["[..])], "lab.yaml", ""),
        (vec![("lab.yaml", &b"\xff\xfet\x00"[..])], "lab.yaml", "UTF-16"),
        (vec![("lab.yaml", &b"title: \xc3\x28"[..])], "lab.yaml", "not UTF-8"),
        (vec![("readme.txt", &b"hello"[..])], ".", "no lab here"),
    ] {
        let answer = import(&bed.ann, "", tar(&files)).await;
        let told = answer.json();
        assert_eq!((answer.status, &told["lab"]), (200, &Value::Null), "{told}");
        let problem = &told["report"]["problems"][0];
        assert_eq!(problem["file"], file, "{told}");
        assert!(problem["message"].as_str().unwrap().contains(words) && problem["line"].as_u64() >= Some(1), "{told}");
    }
    assert_eq!(before, snapshot(&bed.cluster).await);
    assert_eq!(left(&bed), 0);
    // A lab whose texts include one another in a circle is taken, and not published.
    let circle = tar(&[
        ("lab.yaml", HEAD.as_bytes()),
        ("steps/1.md", b"# One\n\n![](/parts/a.md)\n"),
        ("parts/a.md", b"![](/parts/b.md)\n"),
        ("parts/b.md", b"![](/parts/a.md)\n"),
    ]);
    assert_eq!(import(&bed.ann, "id=circle", circle).await.status, 201);
    let refusal = bed.ann.post("/api/labs/circle/publish", "{}").await.refusal();
    assert_eq!((refusal.code.as_str(), refusal.problems.is_empty()), ("lab_invalid", false), "{refusal:?}");
}

#[tokio::test]
async fn a_lab_of_many_steps_holds_up_nobody() {
    let bed = Bed::set().await;
    let steps: Vec<(String, String)> = (0..2_000)
        .map(|number| (format!("steps/{number:05}.md"), format!("# Step {number}\n\n`ls {number}`{{run}}\n")))
        .collect();
    let mut files: Vec<(&str, &[u8])> = vec![("lab.yaml", HEAD.as_bytes())];
    files.extend(steps.iter().map(|(path, text)| (path.as_str(), text.as_bytes())));
    let answer = import(&bed.ann, "id=many", tar(&files)).await;
    assert_eq!((answer.status, answer.json()["report"]["steps"].as_array().unwrap().len()), (201, 2_000));
    let page = bed.ann.get("/api/labs/many/pages/1999").await.json();
    assert_eq!(page["title"], "Step 1999");
    let published = bed.ann.post("/api/labs/many/publish", "{}").await.json();
    assert_eq!(published["versions"][0]["steps"], 2_000);
    let written = bed.ann.send("PUT", "/api/labs/many/files/content?path=steps/00007.md", "# Seven\n").await;
    assert_eq!(written.status, 200, "{written:?}");
}
