//! Coming in without a password: suspended accounts, links of people here, and links of the school's site.

use crate::courses::School;
use crate::raw::Sender;
use pierhead_identity::RedirectKeys;
use pierhead_testkit::REDIRECT_KEY;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A browser that goes where it is sent only when the test says so.
struct Browser {
    http: reqwest::Client,
    url: String,
}

/// What a browser is shown: status, page, where to, and the cookie.
struct Shown {
    status: u16,
    page: String,
    location: String,
    cookie: Option<String>,
}

impl Browser {
    fn at(school: &School) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, url: school.cluster.url().to_owned() }
    }

    async fn shown(request: reqwest::RequestBuilder) -> Shown {
        let answer = request.header(ACCEPT, "text/html,*/*").send().await.unwrap();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (location, cookie) = (header(LOCATION).unwrap_or_default(), header(SET_COOKIE));
        let status = answer.status().as_u16();
        assert!(status == 303 || header(CONTENT_TYPE).unwrap().starts_with("text/html"), "{status}");
        Shown { status, page: answer.text().await.unwrap(), location, cookie }
    }

    async fn get(&self, path: &str) -> Shown {
        Self::shown(self.http.get(format!("{}{path}", self.url))).await
    }

    async fn press(&self, key: &str, origin: &str) -> Shown {
        let form = self.http.post(format!("{}/auth/link", self.url)).body(format!("key={key}"));
        let form = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        Self::shown(form.header(ORIGIN, origin)).await
    }

    /// Who is logged in with a cookie.
    async fn who(&self, shown: &Shown) -> Value {
        let cookie = shown.cookie.as_deref().unwrap().split(';').next().unwrap().to_owned();
        let asked = self.http.get(format!("{}/auth/session", self.url)).header("cookie", cookie);
        serde_json::from_str(&asked.send().await.unwrap().text().await.unwrap()).unwrap()
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What the school's site makes.
fn signed(query: &str) -> String {
    let keys = RedirectKeys::parse(REDIRECT_KEY).unwrap();
    format!("/auth/redirect?{query}&sig={}", keys.sign(query))
}

fn link(user: &str, more: &str, nonce: u32) -> String {
    signed(&format!("user={user}{more}&time={}&nonce=0123456789abcdef{nonce}", seconds()))
}

#[tokio::test]
async fn a_link_logs_in_once_and_not_by_being_looked_at() {
    let school = School::open().await;
    let browser = Browser::at(&school);
    let made = school.wang.post("/api/courses/cs-101/students/li/link", r#"{"minutes":5}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let url = made.json()["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(school.cluster.url()).unwrap_or_else(|| panic!("{url}")).to_owned();
    let key = path.strip_prefix("/auth/link?key=").unwrap();
    for _ in 0..3 {
        let page = browser.get(&path).await;
        assert!(page.status == 200 && page.page.contains(key) && page.page.contains("<form"), "{}", page.page);
    }
    assert_eq!(browser.press(key, "https://evil.example").await.status, 403);
    let entered = browser.press(key, school.cluster.url()).await;
    assert_eq!((entered.status, entered.location.as_str()), (303, "/"), "{}", entered.page);
    let cookie = entered.cookie.clone().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(browser.who(&entered).await["username"], "li");
    let again = browser.press(key, school.cluster.url()).await;
    assert!(again.status == 410 && again.page.contains("Ask whoever gave it to you for a new one"), "{}", again.page);

    let by_admin = school.admin.post("/api/account/wang/link", "{}").await;
    assert_eq!(by_admin.status, 201);
    for (name, status) in [("wang", 404), ("nobody", 404)] {
        let path = format!("/api/courses/cs-101/students/{name}/link");
        assert_eq!(school.wang.post(&path, "{}").await.status, status, "{name}");
    }
    assert_eq!(school.enrol(&["eve", "admin"]).await.status, 204);
    for more in ["eve", "admin"] {
        let refused = school.wang.post(&format!("/api/courses/cs-101/students/{more}/link"), "{}").await;
        assert_eq!(refused.status, 403, "nobody becomes more by that: {refused:?}");
    }
    let refused = school.wang.post("/api/courses/cs-101/students/li/link", r#"{"minutes":0}"#).await;
    assert_eq!(refused.refusal().field.as_deref(), Some("minutes"));
    let events = school.admin.get("/api/events?count=50").await.text;
    assert!(events.contains("give-link") && !events.contains(key), "{events}");
}

#[tokio::test]
async fn who_is_suspended_is_out_at_once_and_stays_out() {
    let school = School::open().await;
    assert_eq!(school.li.get("/api/courses").await.status, 200);
    let nobody = Sender::nobody(&school.cluster);
    let log_in = |password: &str| json!({ "username": "li", "password": password }).to_string();
    assert_eq!(school.admin.post("/api/account/li/suspend", "").await.status, 204);
    assert_eq!(school.li.get("/api/courses").await.status, 401, "their tokens are worth nothing");
    for path in ["/auth/login", "/auth/session"] {
        let refused = nobody.post(path, &log_in("correct horse battery")).await;
        assert_eq!((refused.status, refused.refusal().code.as_str()), (403, "suspended"), "{path}");
        assert_eq!(nobody.post(path, &log_in("wrong horse battery")).await.status, 401, "nobody else learns of it");
    }
    let browser = Browser::at(&school);
    let refused = browser.get(&link("li", "", 1)).await;
    assert!(refused.status == 403 && refused.page.contains("What you did is kept"), "{}", refused.page);
    assert_eq!(school.admin.post("/api/account/li/link", "{}").await.refusal().code, "suspended");
    let listed = school.admin.get("/api/account").await.json();
    let li = listed.as_array().unwrap().iter().find(|account| account["username"] == "li").unwrap().clone();
    assert_eq!(li["suspended"], true);
    assert_eq!(school.admin.post("/api/account/li/resume", "").await.status, 204);
    assert_eq!(school.li.get("/api/courses").await.status, 401, "for ever");
    assert_eq!(nobody.post("/auth/login", &log_in("correct horse battery")).await.status, 200);
    let last = school.admin.post("/api/account/admin/suspend", "").await;
    assert_eq!(last.refusal().code, "last_admin");
}

#[tokio::test]
async fn the_schools_site_sends_students_to_their_lab() {
    let school = School::open().await;
    let browser = Browser::at(&school);
    let path = link("li", "&course=cs-101", 1);
    let entered = browser.get(&path).await;
    assert_eq!((entered.status, entered.location.as_str()), (303, "/#/courses/cs-101"), "{}", entered.page);
    let session = browser.who(&entered).await;
    assert_eq!((&session["username"], &session["role"]), (&json!("li"), &json!("student")));
    let again = browser.get(&path).await;
    assert!(again.status == 410 && again.page.contains("Each link is good once"), "{}", again.page);
    let refused = school.admin.get(path.as_str()).await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (410, "used_link"), "to programs as always");
    let events = school.admin.get("/api/events?count=50").await.text;
    assert!(events.contains("by=redirect") && events.contains("redirect-used_link"), "{events}");
}

#[tokio::test]
async fn a_link_of_the_site_that_is_not_good_leads_to_a_page_that_says_what_to_do() {
    let school = School::open().await;
    let browser = Browser::at(&school);
    let at = |time: u64, nonce: u32| signed(&format!("user=li&time={time}&nonce=0123456789abcdef{nonce}"));
    let forged = link("li", "", 10).replace("user=li", "user=admin");
    for (path, status, told) in [
        (at(seconds() - 500, 1), 410, "is good for 120"),
        (at(seconds() + 600, 2), 400, "seconds in the future"),
        (forged, 400, "both sites need the same key"),
        (signed("user=li&time=5"), 400, "nonce is not 16 to 64"),
        ("/auth/redirect?user=li".to_owned(), 400, "has no signature"),
        ("/auth/redirect".to_owned(), 400, "has no signature"),
        ("/auth/redirect?user=li&role=admin&sig=00".to_owned(), 400, "unknown field `role`"),
        (link("li", "&course=cs-999", 3), 403, "You do not take this course here"),
        (link("eve", "&course=cs-101", 4), 403, "You do not take this course here"),
        (link("li", "&course=cs-101&lab=mysql", 5), 404, "Ask its teacher when it opens"),
        (link("nobody", "", 6), 404, "list has not told of you yet"),
        (link("admin", "", 7), 403, "may do more than a school"),
    ] {
        let refused = browser.get(&path).await;
        assert!(
            refused.status == status && refused.page.contains(told),
            "{path}: {}: {}",
            refused.status,
            refused.page
        );
        assert!(refused.cookie.is_none() && refused.page.contains("lang=\"zh\""), "{path}");
    }
}
