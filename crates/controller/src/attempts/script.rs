//! How a script of a lab is put to a container: by its standard input, so that neither its text nor what it looks for is
//! seen among the container's processes.

/// Reads all of its input and runs it, with nothing left to read. It works in every shell of the Bourne family.
const SLURP: &str = r#"script=$(cat; echo .) && exec </dev/null; eval "${script%.}""#;
/// The shell of a script that names no interpreter.
const SHELL: &str = "/bin/sh";

/// The program that runs a script which comes as its input: a shell, or the interpreter that its first line names.
pub(super) fn command(script: &str) -> Vec<String> {
    let named = script.strip_prefix("#!").and_then(|rest| rest.lines().next()).unwrap_or_default();
    let words: Vec<&str> = named.split_whitespace().collect();
    let shell = |program: &str| vec![program.to_owned(), "-c".to_owned(), SLURP.to_owned()];
    match words.as_slice() {
        [] => shell(SHELL),
        [env, program] if base(env) == "env" && is_shell(program) => shell(program),
        // Options such as `-e` are the shell's own, and stand before the script.
        [program, options @ ..] if is_shell(program) => {
            let options = options.iter().map(|option| (*option).to_owned());
            let mut command = vec![(*program).to_owned()];
            command.extend(options.chain(["-c".to_owned(), SLURP.to_owned()]));
            command
        }
        [program, more @ ..] => {
            let words = [*program].into_iter().chain(more.iter().copied().filter(|word| *word != "-S"));
            words.chain(["/dev/stdin"]).map(str::to_owned).collect()
        }
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_shell(program: &str) -> bool {
    matches!(base(program), "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn ran(script: &str) -> (Option<i32>, String) {
        let words = command(script);
        let mut child = Command::new(&words[0]);
        child.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_script_is_for_the_shell_unless_it_says_otherwise() {
        let last = |script: &str| command(script).last().cloned().unwrap();
        assert_eq!(command("exit 0")[0], "/bin/sh");
        assert_eq!(command("#!/bin/bash\nexit 0")[..2], ["/bin/bash", "-c"]);
        assert_eq!(command("#!/bin/sh -eu\nfalse")[..3], ["/bin/sh", "-eu", "-c"]);
        assert_eq!(command("#!/usr/bin/env bash\n")[0], "bash");
        assert_eq!(command("#! /usr/bin/env python3\n"), ["/usr/bin/env", "python3", "/dev/stdin"]);
        assert_eq!(
            command("#!/usr/bin/env -S node --no-warnings\n"),
            ["/usr/bin/env", "node", "--no-warnings", "/dev/stdin"]
        );
        assert_eq!(last("#!\nexit 1"), SLURP);
    }

    #[test]
    fn its_exit_status_is_that_of_the_script() {
        assert_eq!(ran("exit 0").0, Some(0));
        assert_eq!(ran("echo one\nexit 7\necho two\n"), (Some(7), "one\n".to_owned()));
        assert_eq!(ran("false").0, Some(1), "the last command's, without an exit");
        assert_eq!(ran("if true; then").0.map(|code| code != 0), Some(true), "what can't be read fails");
        assert_eq!(ran("#!/bin/sh -e\nfalse\necho on\n"), (Some(1), String::new()));
    }

    #[test]
    fn what_it_runs_reads_nothing_of_it() {
        // `cat` and `read` would eat what follows if the script were read bit by bit.
        let (code, said) = ran("cat\nread line || echo nothing\ncat <<END\nhere $((1 + 1))\nEND\n\necho 'a  b'\n");
        assert_eq!((code, said.as_str()), (Some(0), "nothing\nhere 2\na  b\n"));
        assert_eq!(ran("f() { return 3; }; f").0, Some(3));
    }

    #[test]
    fn another_interpreter_reads_it_as_a_file() {
        // `sed` stands for any program that is given a file: it prints the script without its first line.
        assert_eq!(ran("#!/bin/sed 1d\nhello\n"), (Some(0), "hello\n".to_owned()));
    }
}
