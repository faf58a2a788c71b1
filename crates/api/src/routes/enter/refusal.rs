//! Why somebody does not come in, and what they can do about it.

use super::page::{self, Words};
use crate::{AccountsError, ApiError};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use pierhead_identity::RedirectError;

/// Why somebody does not come in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This server has no key of a school's site.
    NoKeys,
    /// The link lacks something.
    Malformed(&'static str),
    /// It was signed with another key, or changed.
    Forged,
    /// It was made so many seconds ago.
    Expired(u64),
    /// It was made so many seconds in the future.
    Early(u64),
    /// It was used.
    Used,
    /// A link of somebody here was used, or is too old.
    LinkGone,
    /// There is no such account.
    Unknown,
    /// The account is none of the school's.
    NotOfSchool,
    /// The account is suspended.
    Suspended,
    /// They have nothing to do with the course.
    ForeignCourse,
    /// The course does not show that lab.
    NoLab,
    /// Anything else.
    Other(ApiError),
}

impl From<RedirectError> for Refusal {
    fn from(error: RedirectError) -> Self {
        match error {
            RedirectError::Malformed(what) => Self::Malformed(what),
            RedirectError::Forged => Self::Forged,
            RedirectError::Expired(seconds) => Self::Expired(seconds),
            RedirectError::Early(seconds) => Self::Early(seconds),
        }
    }
}

impl Refusal {
    pub fn of(error: AccountsError) -> Self {
        match error {
            AccountsError::LinkGone => Self::LinkGone,
            AccountsError::Suspended => Self::Suspended,
            other => Self::Other(other.into()),
        }
    }

    /// The code for machines.
    pub fn code(&self) -> &str {
        match self {
            Self::NoKeys => "no_redirect",
            Self::Malformed(_) => "malformed_link",
            Self::Forged => "forged_link",
            Self::Expired(_) => "expired_link",
            Self::Early(_) => "clock_ahead",
            Self::Used => "used_link",
            Self::LinkGone => "link_gone",
            Self::Unknown => "unknown_person",
            Self::NotOfSchool => "password_only",
            Self::Suspended => "suspended",
            Self::ForeignCourse => "foreign_course",
            Self::NoLab => "no_lab",
            Self::Other(error) => &error.body.code,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoKeys | Self::Unknown | Self::NoLab => StatusCode::NOT_FOUND,
            Self::Malformed(_) | Self::Forged | Self::Early(_) => StatusCode::BAD_REQUEST,
            Self::NotOfSchool | Self::Suspended | Self::ForeignCourse => StatusCode::FORBIDDEN,
            Self::Expired(_) | Self::Used | Self::LinkGone => StatusCode::GONE,
            Self::Other(error) => error.status,
        }
    }

    fn words(&self) -> Words {
        const BACK: [&str; 2] =
            ["Go back to your school's site and come again from there.", "请返回学校网站，从那里重新进入。"];
        let admin = ["Tell whoever looks after your school's site", "请告知学校网站的管理员"];
        let (title, english, chinese) = match self {
            Self::NoKeys => (
                ["Not set up", "未设置"],
                "This server does not take links of a school's site. Log in with your name and password.".to_owned(),
                "本服务器不接受学校网站的链接。请使用用户名和密码登录。".to_owned(),
            ),
            Self::Malformed(what) => (
                ["This link is not complete", "链接不完整"],
                format!("{}: {what}.", admin[0]),
                format!("{}：{what}。", admin[1]),
            ),
            Self::Forged => (
                ["This link is not genuine", "链接无效"],
                format!("Its signature does not fit. {} {} that both sites need the same key.", BACK[0], admin[0]),
                format!("签名不匹配。{}若仍然如此，{}：两个网站必须使用相同的密钥。", BACK[1], admin[1]),
            ),
            Self::Expired(seconds) => (
                ["This link is too old", "链接已过期"],
                format!("It was made {seconds} seconds ago and is good for 120. {}", BACK[0]),
                format!("它是 {seconds} 秒前生成的，有效期为 120 秒。{}", BACK[1]),
            ),
            Self::Early(seconds) => (
                ["Two clocks differ", "时钟不一致"],
                format!("This link was made {seconds} seconds in the future. {} to set its clock.", admin[0]),
                format!("此链接的生成时间比现在晚 {seconds} 秒。{}校准时钟。", admin[1]),
            ),
            Self::Used => (
                ["This link was used", "链接已被使用"],
                format!("Each link is good once. {}", BACK[0]),
                format!("每个链接只能使用一次。{}", BACK[1]),
            ),
            Self::LinkGone => (
                ["This link is worth nothing any more", "链接已失效"],
                "It was used, has expired, or never was one. Ask whoever gave it to you for a new one.".to_owned(),
                "它已被使用、已过期或从未存在。请向给您链接的人索取新的链接。".to_owned(),
            ),
            Self::Unknown => (
                ["You are not known here yet", "这里还没有您的账户"],
                "Your school's list has not told of you yet. Ask your teacher, or try again in an hour.".to_owned(),
                "学校的名单中还没有您。请询问您的老师，或一小时后再试。".to_owned(),
            ),
            Self::NotOfSchool => (
                ["Log in with your password", "请使用密码登录"],
                "Your account may do more than a school's site can let in.".to_owned(),
                "您的账户权限较高，不能通过学校网站进入。".to_owned(),
            ),
            Self::Suspended => (
                ["Your account is suspended", "账户已停用"],
                "Ask your teacher, or whoever administers accounts. What you did is kept.".to_owned(),
                "请询问您的老师或账户管理员。您的作业都已保留。".to_owned(),
            ),
            Self::ForeignCourse => (
                ["This is not your course", "这不是您的课程"],
                "You do not take this course here. Choose it at your school first, or ask its teacher.".to_owned(),
                "您没有选这门课程。请先在学校选课，或询问任课老师。".to_owned(),
            ),
            Self::NoLab => (
                ["This lab is not open", "实验尚未开放"],
                "The course does not show this lab now. Ask its teacher when it opens.".to_owned(),
                "该课程目前没有开放此实验。请询问任课老师何时开放。".to_owned(),
            ),
            Self::Other(error) => (
                ["This did not work", "出错了"],
                format!("{}. {}", error.body.message, BACK[0]),
                format!("{}。{}", error.body.message, BACK[1]),
            ),
        };
        Words { title, text: [english, chinese] }
    }

    /// A page for a browser, and for everything else what every refusal is.
    pub fn answer(self, headers: &HeaderMap) -> Response {
        let accepted = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accepted.contains("text/html") {
            return page::refuse(self.status(), self.code(), &self.words(), None);
        }
        self.into_error().into_response()
    }

    /// The same for programs.
    pub fn into_error(self) -> ApiError {
        match self {
            Self::Other(error) => error,
            refusal => {
                let message = refusal.words().text[0].clone();
                ApiError::new(refusal.status(), refusal.code(), message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        let all = [
            Refusal::NoKeys,
            Refusal::Malformed("user is missing"),
            Refusal::Forged,
            Refusal::Expired(500),
            Refusal::Early(90),
            Refusal::Used,
            Refusal::LinkGone,
            Refusal::Unknown,
            Refusal::NotOfSchool,
            Refusal::Suspended,
            Refusal::ForeignCourse,
            Refusal::NoLab,
            Refusal::Other(ApiError::field("key", "key must be given")),
        ];
        let mut codes = std::collections::BTreeSet::new();
        for refusal in all {
            let words = refusal.words();
            assert!(words.text.iter().chain(&words.title.map(str::to_owned)).all(|text| text.chars().count() > 2));
            assert!(words.text[1].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{refusal:?}");
            assert!(refusal.status().is_client_error(), "{refusal:?}");
            assert!(codes.insert(refusal.code().to_owned()), "{refusal:?}");
        }
        assert!(Refusal::Expired(500).words().text[0].contains("500 seconds ago"));
    }
}
