//! A guest in Zig that uses all of communication/guest/zig/wasm_sandbox.zig. What its exports do
//! is said in ../c/toolbox.c.

const std = @import("std");
const sandbox = @import("wasm_sandbox");

const allocator = sandbox.allocator;

comptime {
    sandbox.handler("greet", greet);
    sandbox.handler("echo", echo);
    sandbox.handler("reverse", reverse);
    sandbox.handler("lookup", lookup);
    sandbox.handler("relay", relay);
    sandbox.handler("store_error", storeError);
    sandbox.handler("converse", converse);
    sandbox.handler("upper", upper);
    sandbox.handler("sip", sip);
    sandbox.handler("chatter", chatter);
    sandbox.handler("refuse", refuse);
    sandbox.handler("fetch", fetch);
}

var piece: [64 * 1024]u8 = undefined;

fn greet(json: []const u8) ![]const u8 {
    return print("{{\"greeting\":\"Hello, {s}!\"}}", .{try inside(json)});
}

fn echo(request: []const u8) ![]const u8 {
    return request;
}

fn reverse(request: []const u8) ![]const u8 {
    const reply = try allocator.dupe(u8, request);
    std.mem.reverse(u8, reply);
    return reply;
}

fn lookup(key: []const u8) ![]const u8 {
    return sandbox.call("kv.get", key);
}

fn relay(request: []const u8) ![]const u8 {
    return sandbox.call("blob.turn", request);
}

fn storeError(key: []const u8) ![]const u8 {
    if (sandbox.call("kv.get", key)) |answer| {
        defer allocator.free(answer);
        return print("{{\"status\":0,\"answer\":{s}}}", .{orNull(answer)});
    } else |_| {
        const document = orNull(sandbox.fault.document());
        return print("{{\"status\":{d},\"fault\":{s}}}", .{ sandbox.fault.status, document });
    }
}

fn converse(json: []const u8) ![]const u8 {
    const timeout = std.fmt.parseInt(i32, json, 10) catch sandbox.forever;
    var messages: u32 = 0;
    const timed_out = while (true) : (messages += 1) {
        const received = sandbox.receive(timeout) catch |err| {
            if (err == error.TimedOut) break true;
            return err;
        };
        const message = received orelse break false;
        defer allocator.free(message);
        const answer = try print("{{\"echo\":{s}}}", .{message});
        defer allocator.free(answer);
        try sandbox.send(answer);
    };
    return print("{{\"messages\":{d},\"timedOut\":{}}}", .{ messages, timed_out });
}

fn upper(_: []const u8) ![]const u8 {
    var total: u64 = 0;
    while (true) {
        const length = try sandbox.read(&piece);
        if (length == 0) return print("{{\"bytes\":{d}}}", .{total});
        for (piece[0..length]) |*letter| letter.* = std.ascii.toUpper(letter.*);
        try sandbox.write(piece[0..length]);
        total += length;
    }
}

fn sip(json: []const u8) ![]const u8 {
    var small: [64]u8 = undefined;
    const size = std.fmt.parseInt(u32, json, 10) catch small.len + 1;
    if (size > small.len) return refused("expected a number up to 64");
    var reads: u32 = 0;
    var total: u64 = 0;
    try sandbox.write("");
    while (true) : (reads += 1) {
        const length = try sandbox.read(small[0..size]);
        if (length == 0) return print("{{\"reads\":{d},\"bytes\":{d}}}", .{ reads, total });
        try sandbox.write(small[0..length]);
        total += length;
    }
}

fn chatter(json: []const u8) ![]const u8 {
    for (std.enums.values(sandbox.Level)) |level| sandbox.log(level, json);
    return print("{{\"lines\":5}}", .{});
}

fn refuse(json: []const u8) ![]const u8 {
    const reason = try print("refused: {s}", .{json});
    defer allocator.free(reason);
    return refused(reason);
}

fn fetch(json: []const u8) ![]const u8 {
    _ = try inside(json);
    const start = "{\"method\":\"POST\",\"headers\":[[\"content-type\",\"text/plain\"]],\"url\":";
    const header = try print("{s}{s}}}", .{ start, json });
    defer allocator.free(header);
    const answer = try sandbox.http(header, "ping");
    defer allocator.free(answer.bytes);
    return print("{{\"header\":{s},\"bytes\":{d}}}", .{ answer.header, answer.body.len });
}

export fn host_version() u32 {
    return sandbox.version();
}

/// What the host writes has no space around it: a string begins and ends with a quote.
fn inside(json: []const u8) ![]const u8 {
    if (json.len > 1 and json[0] == '"' and json[json.len - 1] == '"') return json[1 .. json.len - 1];
    return refused("expected a JSON string");
}

fn refused(reason: []const u8) error{Refused} {
    sandbox.fail(reason);
    return error.Refused;
}

fn orNull(json: []const u8) []const u8 {
    return if (json.len == 0) "null" else json;
}

fn print(comptime format: []const u8, values: anytype) ![]u8 {
    return std.fmt.allocPrint(allocator, format, values);
}
