//! Questions of posts: `{:.quiz}`, the question, and a list of answers.

use crate::model::{Answers, Problems, Quiz, QuizOption};
use crate::path::LabPath;
use crate::spell;

/// The text with questions as our format spells them.
pub(super) fn questions(text: &str, at: (&LabPath, u32), count: &mut usize, problems: &mut Problems) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let (mut written, mut index) = (Vec::new(), 0);
    while index < lines.len() {
        if lines[index].trim() != "{:.quiz}" {
            written.push(lines[index].to_owned());
            index += 1;
            continue;
        }
        let begin = index + 1;
        let first = (begin..lines.len().min(begin + 30)).find(|line| option(lines[*line]).is_some());
        let blank = |line: &usize| lines[*line].trim().is_empty();
        let Some(first) = first.filter(|first| (begin..*first).filter(blank).count() <= 1) else {
            problems.error(at.0, at.1 + index as u32, "the question has no answers; it is shown as text");
            written.push(String::new());
            index += 1;
            continue;
        };
        let options: Vec<(bool, &str)> = lines[first..].iter().map_while(|line| option(line)).collect();
        let question = lines[begin..first].join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        *count += 1;
        if !options.iter().any(|(right, _)| *right) {
            problems.error(at.0, at.1 + index as u32, "no answer of the question is marked as right");
        }
        let options =
            options.into_iter().map(|(right, text)| QuizOption { text: text.to_owned(), right }).collect::<Vec<_>>();
        let end = first + options.len();
        let quiz = Quiz {
            name: format!("q{count}"),
            question,
            answers: Answers::Choice(options),
            explanation: String::new(),
            score: 1,
        };
        let before = written.len();
        written.extend(spell::quiz(&quiz, "").lines().map(str::to_owned));
        // The fence takes a line more than the question did, unless that stood in several.
        let taken = end - index;
        index = end + usize::from(lines.get(end).is_some_and(|line| line.trim().is_empty()));
        let filled = (taken + index - end).saturating_sub(written.len() - before);
        written.extend(std::iter::repeat_n(String::new(), filled));
    }
    written.join("\n")
}

/// An answer: whether it is right, and its text.
fn option(line: &str) -> Option<(bool, &str)> {
    let item = line.trim_start().strip_prefix(['-', '*', '+'])?.trim_start();
    let marks = [("[x]", true), ("(x)", true), ("[X]", true), ("(X)", true), ("[ ]", false), ("( )", false)];
    marks.iter().find_map(|(mark, right)| Some((*right, item.strip_prefix(mark)?.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions_of(text: &str) -> (String, Vec<String>) {
        let (file, mut problems, mut count) = (LabPath::parse("a.md").unwrap(), Problems::default(), 0);
        let text = questions(text, (&file, 10), &mut count, &mut problems);
        (text, problems.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn questions_become_fences_of_as_many_lines() {
        let text = "x\n{:.quiz}\nWhat\nis it?\n- ( ) this\n- (x) that\n\n{:.quiz}\nWhich?\n- [x] one\n- [ ] two\n- [x] three\n\ny\n";
        let expected = "x\n```quiz name=q1\nWhat is it?\n- [ ] this\n- [x] that\n```\n\n```quiz name=q2\nWhich?\n- [x] one\n- [ ] two\n- [x] three\n```\ny\n";
        assert_eq!(questions_of(text), (expected.to_owned(), Vec::new()));
    }

    #[test]
    fn questions_without_answers_are_reported() {
        let (text, problems) = questions_of("{:.quiz}\nWhat?\n\ntext\n\n- x\n{:.quiz}\nWho?\n- [ ] me\n");
        assert!(text.starts_with("\nWhat?\n\ntext\n"), "{text}");
        let first = "a.md:10: the question has no answers; it is shown as text";
        assert_eq!(problems, [first, "a.md:16: no answer of the question is marked as right"]);
    }
}
