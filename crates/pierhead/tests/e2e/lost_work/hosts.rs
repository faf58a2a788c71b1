//! A host that is switched off: what was saved comes back elsewhere and tells its age, and what was not is kept and offered
//! when the host returns.

use crate::agents::{again, in_host, is_healthy};
use crate::bed::Bed;
use crate::wait::until;

use super::desk::{Desk, LONG};
use super::words_of_agent;

pub fn one_is_lost_and_returns(bed: &Bed, desk: &mut Desk<'_>) {
    desk.works("echo saved >saved");
    desk.save("before the storm");
    let saved = desk.content.clone();
    desk.works("echo fresh >fresh; rm saved; $b ln fresh again");
    let (fresh, home) = (desk.content.clone(), desk.home());
    let host = bed.host(&home);
    let words = words_of_agent(bed, &home);
    host.power_off().unwrap();
    until("it is elsewhere", LONG, || {
        let now = desk.show();
        now["phase"] == "ready" && now["engine"] != home
    });
    let shown = desk.show();
    let message = shown["message"].as_str().unwrap_or_default();
    assert!(message.contains("it comes back from save") && message.contains("min before"), "{shown}");
    assert_eq!(shown["left_on"][0], home, "{shown}");
    desk.content = saved;
    desk.is_whole();
    assert_eq!(desk.containers(), 1, "it runs once");

    host.restore().unwrap();
    host.start_engine().unwrap();
    again(bed, &format!("agent-{home}"), in_host(bed, &home, words));
    until("the host is back", LONG, || is_healthy(bed, &home));
    let name = format!("left on host {home}");
    until("what was left is offered", LONG, || desk.saved(&name).is_some_and(|save| save["state"] == "complete"));
    until("and gone from there", LONG, || desk.on(host, "/containers/json?all=1").is_empty());
    assert_eq!(desk.containers(), 1, "it runs once");
    desk.is_whole();
    let left = desk.saved(&name).expect("it is offered");
    assert_eq!(left["automatic"], false, "{left}");
    let copy = bed.json(&["workspace", "open", "--save", left["id"].as_str().unwrap(), "--name", "found"]);
    let copy = Desk { bed, id: copy["id"].as_str().unwrap().to_owned(), content: fresh };
    copy.is_whole();
    copy.ends();
}
