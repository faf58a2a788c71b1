//! The program that writes the kernel's packet filter. No shell: words and a text for its input.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where programs of administrators are, whatever the agent was started with.
const PATHS: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
/// The most of its complaint that is told, in characters.
const LONGEST: usize = 200;

#[derive(Debug)]
pub(super) struct Nft {
    program: PathBuf,
}

impl Nft {
    pub(super) fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }

    /// Runs it with this input; what it prints, or why it failed in words for people.
    pub(super) async fn run(&self, words: &[&str], input: &str) -> Result<String, String> {
        let ran = tokio::time::timeout(PATIENCE, self.ended(words, input)).await;
        let output = match ran {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(in_words(&error)),
            Err(_) => return Err(format!("the program nft did not end within {} s", PATIENCE.as_secs())),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let told = String::from_utf8_lossy(&output.stderr);
        Err(complaint(told.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why")))
    }

    async fn ended(&self, words: &[&str], input: &str) -> io::Result<std::process::Output> {
        let mut command = Command::new(&self.program);
        command.args(words).env_clear().env("PATH", PATHS).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let tell = async {
            // Why one ended before it had read all is in what it prints.
            if let Some(mut stdin) = stdin {
                let _ended = stdin.write_all(input.as_bytes()).await;
            }
        };
        let ((), output) = tokio::join!(tell, child.wait_with_output());
        output
    }
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the program nft is not there (apt-get install nftables)".to_owned(),
        io::ErrorKind::PermissionDenied => "the agent may not run the program nft".to_owned(),
        _ => format!("the program nft cannot be run: {error}"),
    }
}

fn complaint(line: &str) -> String {
    let words = line.to_lowercase();
    if words.contains("not permitted") || words.contains("permission denied") {
        return "the agent may not change the firewall (it needs root or CAP_NET_ADMIN)".to_owned();
    }
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    format!("the program nft refuses: {}", line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_wrong_is_told_in_words() {
        let missing = Nft::new(Path::new("/nonexistent/nft")).run(&["list"], "").await.unwrap_err();
        assert!(missing.contains("apt-get install nftables"), "{missing}");
        let dir = tempfile::tempdir().unwrap();
        let refused = Nft::new(dir.path()).run(&[], "").await.unwrap_err();
        assert!(refused.contains("may not run"), "{refused}");
        assert!(complaint("Error: Could not process rule: Operation not permitted").contains("CAP_NET_ADMIN"));
        assert_eq!(complaint("Error: no\u{1b}[31m such thing "), "the program nft refuses: Error: no[31m such thing");
        assert!(complaint(&"x".repeat(1000)).len() < 300);
    }

    #[tokio::test]
    async fn input_goes_in_and_output_comes_out() {
        let cat = Nft::new(Path::new("cat"));
        let long = "line\n".repeat(50_000);
        assert!(cat.run(&[], &long).await.is_ok_and(|told| told == long));
        assert!(Nft::new(Path::new("false")).run(&[], &long).await.unwrap_err().contains("does not say why"));
    }
}
