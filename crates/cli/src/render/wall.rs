//! How the wall, and who asks for help, look.

use super::table;
use pierhead_wire::{HandView, HandsView, WallChangeView, WallOutcomeView, WallPersonView, WallView};

/// What `wall` prints.
pub(crate) fn people(wall: &WallView, width: Option<u16>) -> String {
    if wall.people.is_empty() {
        return "Nobody is here whose work you may watch\n".to_owned();
    }
    let row = |person: &WallPersonView| {
        vec![
            person.owner.clone(),
            person.workspace.clone(),
            person.phase.clone(),
            person.work.as_ref().map(|work| format!("{}/{}", work.step + 1, work.steps)).unwrap_or_default(),
            person.work.as_ref().map(|work| format!("{}/{}", work.score, work.most)).unwrap_or_default(),
            person.stuck.to_string(),
            person.reasons.join(", "),
            person.active_at.clone().unwrap_or_default(),
            person.terminals.iter().map(|terminal| terminal.id.as_str()).collect::<Vec<_>>().join(" "),
            person.question.clone().unwrap_or_default(),
        ]
    };
    let heads = ["PERSON", "WORKSPACE", "PHASE", "STEP", "SCORE", "STUCK", "WHY", "ACTIVE", "TERMINALS", "ASKS"];
    table(&heads, wall.people.iter().map(row), width)
}

/// What `hand ls` prints.
pub(crate) fn hands(hands: &HandsView, width: Option<u16>) -> String {
    let row = |hand: &HandView| {
        let question = hand.question.clone().unwrap_or_default();
        vec![hand.by.clone(), hand.workspace.clone(), hand.raised_at.clone(), question]
    };
    table(&["PERSON", "WORKSPACE", "SINCE", "ASKS"], hands.hands.iter().map(row), width)
}

/// What came of a change for all.
pub(crate) fn outcomes(came: &WallChangeView, width: Option<u16>) -> String {
    let row = |outcome: &WallOutcomeView| {
        let message = outcome.message.clone().unwrap_or_default();
        let came = if outcome.done { "done".to_owned() } else { message };
        vec![outcome.owner.clone(), outcome.workspace.clone(), came]
    };
    table(&["PERSON", "WORKSPACE", "OUTCOME"], came.people.iter().map(row), width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::{Example, WallWorkView};

    fn words(text: &str) -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    fn work() -> WallWorkView {
        let mut examples = WallView::example().people;
        examples.remove(0).work.unwrap()
    }

    #[test]
    fn people_stand_in_the_order_of_the_server_and_say_why() {
        let person = |owner: &str, stuck, reasons: &[&str], question: Option<&str>| WallPersonView {
            workspace: format!("w-{owner}"),
            name: String::new(),
            owner: owner.to_owned(),
            environment: "python".to_owned(),
            phase: "ready".to_owned(),
            may: "lead".to_owned(),
            active_at: None,
            ends_at: None,
            hand_at: None,
            question: question.map(str::to_owned),
            stuck,
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            work: None,
            terminals: Vec::new(),
        };
        let people = vec![person("sue", 1003, &["hand", "idle"], Some("How\u{1b}[31m?")), person("bob", 0, &[], None)];
        let mut people = people;
        people[1].work = Some(WallWorkView { step: 1, steps: 5, score: 3, most: 12, ..work() });
        let shown = words(&super::people(&WallView { people }, None));
        assert_eq!(shown[0], "PERSON WORKSPACE PHASE STEP SCORE STUCK WHY ACTIVE TERMINALS ASKS");
        assert_eq!(shown[1], r"sue w-sue ready - - 1003 hand, idle - - How\x1b[31m?");
        assert_eq!(shown[2], "bob w-bob ready 2/5 3/12 0 - - - -");
        assert!(super::people(&WallView { people: Vec::new() }, None).contains("Nobody is here"));
    }

    #[test]
    fn what_came_of_a_change_is_told_of_each() {
        let outcome = |owner: &str, done, message: Option<&str>| WallOutcomeView {
            workspace: "w".to_owned(),
            owner: owner.to_owned(),
            done,
            code: None,
            message: message.map(str::to_owned),
        };
        let people = vec![outcome("ann", true, None), outcome("eve", false, Some("it does not run"))];
        let shown = words(&outcomes(&WallChangeView { done: 1, people }, None));
        assert_eq!(shown[1..], ["ann w done", "eve w it does not run"]);
    }
}
