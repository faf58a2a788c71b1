//! Questions in pages: `>>Q1: What is it?<<` and the answers in the lines behind.

use super::page::Scenario;
use crate::model::{Answers, Problems, Quiz, QuizOption};
use crate::path::LabPath;
use crate::spell;

/// The text with questions as our format spells them; a question takes no more lines than before if an empty line
/// follows it.
pub(super) fn questions(text: &str, at: (&LabPath, u32), scenario: &mut Scenario, problems: &mut Problems) -> String {
    if !text.contains(">>") || !text.contains("<<") {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let (mut written, mut index) = (Vec::new(), 0);
    while index < lines.len() {
        let Some((question, behind)) = question(&lines[index..]) else {
            written.push(lines[index].to_owned());
            index += 1;
            continue;
        };
        let (line, begin, before) = (at.1 + index as u32, index, written.len());
        let answers = &lines[index + behind..];
        let count = answers.iter().take_while(|line| option(line).is_some() || answer(line).is_some()).count();
        index += behind + count;
        match read(&answers[..count], (at.0, line), problems) {
            Some(found) => {
                let name = scenario.next_quiz();
                let quiz = Quiz { name, question, answers: found, explanation: String::new(), score: 1 };
                written.extend(spell::quiz(&quiz, "").lines().map(str::to_owned));
                if lines.get(index).is_some_and(|line| line.trim().is_empty()) {
                    index += 1;
                }
            }
            None => {
                written.push(format!("**{question}**"));
            }
        }
        let filled = (index - begin).saturating_sub(written.len() - before);
        written.extend(std::iter::repeat_n(String::new(), filled));
    }
    written.join("\n")
}

/// A question, and how many lines it takes.
fn question(lines: &[&str]) -> Option<(String, usize)> {
    let first = lines.first()?.trim().strip_prefix(">>")?;
    let end = lines.iter().take(20).position(|line| line.trim_end().ends_with("<<"))?;
    let mut text = if end == 0 { first.to_owned() } else { format!("{first}\n{}", lines[1..=end].join("\n")) };
    text.truncate(text.trim_end().len().saturating_sub(2));
    // `Q1:` is a number that nobody needs.
    let unnumbered = text.split_once(':').filter(|(number, _)| {
        let digits = number.trim().trim_start_matches(['Q', 'q']);
        digits.len() < number.trim().len() && digits.chars().all(|c| c.is_ascii_digit())
    });
    let text = unnumbered.map_or(text.as_str(), |(_, text)| text).trim();
    (!text.is_empty()).then(|| (text.split_whitespace().collect::<Vec<_>>().join(" "), end + 1))
}

/// An option of a choice: whether it is right, and its text.
fn option(line: &str) -> Option<(bool, &str)> {
    let line = line.trim().trim_start_matches("- ");
    let marks = [("[*]", true), ("(*)", true), ("[x]", true), ("(x)", true), ("[ ]", false), ("( )", false)];
    marks.iter().find_map(|(mark, right)| Some((*right, line.strip_prefix(mark)?.trim())))
}

/// An answer in words: how it is compared, and what with.
fn answer(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    ["===", "=~=", "=^="].iter().find_map(|mark| Some((*mark, line.strip_prefix(mark)?.trim())))
}

fn read(lines: &[&str], at: (&LabPath, u32), problems: &mut Problems) -> Option<Answers> {
    let options: Vec<QuizOption> = lines
        .iter()
        .filter_map(|line| option(line))
        .map(|(right, text)| QuizOption { text: text.to_owned(), right })
        .collect();
    if !options.is_empty() {
        if options.iter().any(|option| option.right) {
            return Some(Answers::Choice(options));
        }
        problems.error(at.0, at.1, "no answer of the question is marked as right; it is left out");
        return None;
    }
    let mut texts = Vec::new();
    for (mark, text) in lines.iter().filter_map(|line| answer(line)) {
        let plain = text.trim_start_matches("^").trim_end_matches('$').trim_start_matches(".*").trim_end_matches(".*");
        let pattern = mark != "===" && plain.contains(|c: char| "\\^$.|?*+()[]{}".contains(c));
        if pattern {
            problems.error(at.0, at.1, format!("answers are not compared with patterns; {text:?} is left out"));
        } else {
            texts.push(if mark == "===" { text } else { plain }.to_owned());
        }
    }
    if texts.is_empty() {
        problems.error(at.0, at.1, "the question has no answer; it is left out");
        return None;
    }
    Some(Answers::Text(texts))
}
