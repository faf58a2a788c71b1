//! What people read in place of a preview, in English and in Chinese.

use hyper::StatusCode;
use pierhead_api::PreviewRefusal;
use pierhead_ingress::Refusal;

/// Why the API lets somebody not see a preview.
pub(in crate::serve) fn of_api(refusal: PreviewRefusal) -> Refusal {
    match refusal {
        PreviewRefusal::NoName => Refusal::new(
            StatusCode::NOT_FOUND,
            "no_such_preview",
            ("There is no preview of this name", "没有这个名称的预览"),
            (
                "Previews are called PORT-WORKSPACE. Open one from its workspace.",
                "预览的名称形如“端口-工作区”。请从工作区中打开。",
            ),
        ),
        PreviewRefusal::LoggedOut => Refusal::new(
            StatusCode::UNAUTHORIZED,
            "logged_out",
            ("Open this preview from its workspace", "请从工作区打开此预览"),
            (
                "This browser has no session here, or it is over. Log in to Pierhead and open the port again.",
                "此浏览器在这里没有会话，或会话已结束。请登录 Pierhead 后重新打开该端口。",
            ),
        ),
        PreviewRefusal::BadTicket => Refusal::new(
            StatusCode::UNAUTHORIZED,
            "bad_ticket",
            ("This address was used already, or is too old", "此地址已被使用或已过期"),
            ("Open the port again from its workspace.", "请从工作区重新打开该端口。"),
        ),
        PreviewRefusal::Foreign => Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            ("A page of somebody else asked for this", "此请求来自其他人的页面"),
            (
                "Only pages of the same workspace may use a preview. Open the address by itself.",
                "只有同一工作区的页面才能使用此预览。请直接打开该地址。",
            ),
        ),
        PreviewRefusal::NoWorkspace => Refusal::new(
            StatusCode::NOT_FOUND,
            "no_such_workspace",
            ("There is no such workspace, or not for you", "没有这个工作区，或者您无权访问"),
            ("Ask its owner to share it with you.", "请让其所有者与您共享。"),
        ),
        PreviewRefusal::LookOnly => Refusal::new(
            StatusCode::FORBIDDEN,
            "look_only",
            ("You may look at this preview only", "您只能查看此预览"),
            (
                "Nothing that you send is passed on. Ask the workspace's owner to make you a driver.",
                "您发送的内容不会被转发。请让工作区的所有者将您设为操作者。",
            ),
        ),
        PreviewRefusal::NotRunning => not_running(),
        PreviewRefusal::Unknown => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unknown",
            ("It cannot be known now whether you may see this", "目前无法确认您是否有权查看"),
            ("The controller's store does not answer. Try again in a moment.", "控制器的存储没有响应。请稍后再试。"),
        ),
    }
}

/// Why an agent made no connection, by the code of its refusal.
pub(in crate::serve) fn of_agent(code: &str, port: u16) -> Refusal {
    match code {
        "nothing_listens" => Refusal::new(
            StatusCode::BAD_GATEWAY,
            "nothing_listens",
            (&format!("Nothing answers on port {port}"), &format!("端口 {port} 没有响应")),
            (
                "Start the program in the workspace that shall answer here, and load this page again.",
                "请在工作区中启动要在此响应的程序，然后重新加载此页面。",
            ),
        ),
        "only_inside" => Refusal::new(
            StatusCode::BAD_GATEWAY,
            "only_inside",
            (&format!("Port {port} is open to its container only"), &format!("端口 {port} 仅对其容器内部开放")),
            (
                "The program listens on 127.0.0.1. Let it listen on 0.0.0.0, and load this page again.",
                "该程序监听的是 127.0.0.1。请让它监听 0.0.0.0，然后重新加载此页面。",
            ),
        ),
        "too_slow" => Refusal::new(
            StatusCode::GATEWAY_TIMEOUT,
            "connect_too_slow",
            (&format!("Port {port} takes no connection"), &format!("端口 {port} 不接受连接")),
            ("The program may be busy. Try again in a moment.", "该程序可能正忙。请稍后再试。"),
        ),
        "not_running" | "paused" | "no_such_container" | "container_changed" | "no_address" => not_running(),
        "not_allowed" => Refusal::new(
            StatusCode::BAD_GATEWAY,
            "old_agent",
            ("The host of this workspace shows no previews", "此工作区所在的主机不提供预览"),
            ("Its agent is too old, or forbids it. Ask an administrator.", "其代理版本过旧或禁止预览。请联系管理员。"),
        ),
        _ => host_away(),
    }
}

pub(in crate::serve) fn not_running() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_running",
        ("The workspace does not run", "工作区未在运行"),
        ("Start it, and load this page again.", "请启动它，然后重新加载此页面。"),
    )
}

pub(in crate::serve) fn host_away() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "host_away",
        ("The workspace's host does not answer", "工作区所在的主机没有响应"),
        (
            "It may be restarting, or cut off from this server. Try again in a moment.",
            "它可能正在重启，或与此服务器断开了连接。请稍后再试。",
        ),
    )
}

pub(in crate::serve) fn too_many() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_connections",
        ("Too many connections are open to this workspace", "与此工作区的连接过多"),
        ("Close some of its pages, and load this one again.", "请关闭一些页面，然后重新加载此页面。"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_said_in_both_languages_and_no_defect_is_claimed() {
        use PreviewRefusal::{BadTicket, Foreign, LoggedOut, LookOnly, NoName, NoWorkspace, NotRunning, Unknown};
        let all = [NoName, LoggedOut, BadTicket, Foreign, NoWorkspace, LookOnly, NotRunning, Unknown].map(of_api);
        let codes = [
            "nothing_listens",
            "only_inside",
            "too_slow",
            "not_running",
            "no_address",
            "not_allowed",
            "engine_away",
            "",
        ];
        for refusal in all.into_iter().chain(codes.map(|code| of_agent(code, 8000))).chain([too_many()]) {
            let is_chinese = |text: &str| text.chars().any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character));
            assert!(is_chinese(&refusal.title.zh) && is_chinese(&refusal.text.zh), "{refusal:?}");
            assert!(refusal.title.en.is_ascii() && refusal.text.en.is_ascii(), "{refusal:?}");
            assert!(refusal.status.as_u16() >= 400 && refusal.status != 500, "{refusal:?}");
        }
        assert_eq!(of_agent("nothing_listens", 8000).title.en, "Nothing answers on port 8000");
    }
}
