//! The guest's side of the guest ABI, version 1 (docs/guest-abi.md), for Zig 0.17 and
//! wasm32-freestanding or wasm32-wasi.
//!
//! Put this file beside your sources, and build with `-fno-entry -rdynamic`:
//!
//!     const sandbox = @import("wasm_sandbox.zig");
//!
//!     comptime {
//!         sandbox.handler("lookup", lookup);
//!     }
//!
//!     fn lookup(key: []const u8) ![]const u8 {
//!         return sandbox.call("kv.get", key);
//!     }
//!
//! With that the module exports `lookup`, `wasm_sandbox_alloc`, `wasm_sandbox_free` and
//! `wasm_sandbox_abi_1`. An error that a handler returns is told to the host, which throws it to
//! the caller: the message of the fault, if it is one, or else its name. The guest lives on.
//!
//! Memory. A request is the host's: it is there until the handler returns. A reply must come from
//! `allocator`, with exactly its length, or be a part of the request; it is the host's from then on. Whatever the host answers
//! comes from `allocator` too, and is yours. What the host refuses is an error; `fault` has what it
//! says about it.

const std = @import("std");

/// The version of the guest ABI that this file speaks.
pub const abi = 1;

/// Where requests, replies and answers are.
pub const allocator = std.heap.wasm_allocator;

/// Timeout of `receive`: as long as the call may take.
pub const forever: i32 = -1;

/// Longest document that `send`, `read` and `write` leave behind.
const fault_bytes = 4096;

/// The functions of the ABI, as they are.
pub const host = struct {
    pub extern "wasm_sandbox" fn version() u32;
    pub extern "wasm_sandbox" fn call(name: [*]const u8, name_len: usize, input: [*]const u8, input_len: usize) u64;
    pub extern "wasm_sandbox" fn receive(timeout_ms: i32) u64;
    pub extern "wasm_sandbox" fn take(buffer: ?[*]u8, length: usize) usize;
    pub extern "wasm_sandbox" fn send(message: [*]const u8, length: usize) i32;
    pub extern "wasm_sandbox" fn read(buffer: [*]u8, length: usize) i32;
    pub extern "wasm_sandbox" fn write(bytes: [*]const u8, length: usize) i32;
    pub extern "wasm_sandbox" fn log(level: u32, line: [*]const u8, length: usize) void;
    pub extern "wasm_sandbox" fn fail(reason: [*]const u8, length: usize) void;
};

/// Why the host did not do what it was asked for.
pub const Fault = error{
    /// The policy does not permit it.
    Denied,
    /// There is no such function, channel or stream.
    Unknown,
    /// The message is not what it must be.
    Invalid,
    /// The function failed.
    Failed,
    /// The message is too long.
    TooLarge,
    /// The channel or stream is closed.
    Closed,
    /// It was not done in its time.
    TimedOut,
    /// A status of a later version.
    Unexpected,
};

/// A fault, or no memory for the answer, which is lost.
pub const Error = Fault || std.mem.Allocator.Error;

/// How much a line of the log matters.
pub const Level = enum(u32) { trace, debug, info, warn, err };

/// What the host says about the last fault.
pub const fault = struct {
    var kept: []u8 = &.{};
    var last: ?Fault = null;

    /// Its number in the ABI; 0 if there was none.
    pub var status: u32 = 0;

    /// JSON: `{"code":"…","message":"…","data":…}`. There until the host is asked for something
    /// that it refuses as well.
    pub fn document() []const u8 {
        return kept;
    }

    /// A word for programs, such as `not-found`: as much of it as there is room for.
    pub fn code(buffer: []u8) []const u8 {
        return member("\"code\":\"", buffer);
    }

    /// What it is, in a sentence: as much of it as there is room for.
    pub fn message(buffer: []u8) []const u8 {
        return member("\"message\":\"", buffer);
    }

    /// A quote within a string is escaped, so that `start` stands nowhere else before the member.
    fn member(start: []const u8, buffer: []u8) []const u8 {
        const found = std.mem.find(u8, kept, start) orelse return buffer[0..0];
        var at = found + start.len;
        var length: usize = 0;
        while (at < kept.len and kept[at] != '"' and length < buffer.len) : (length += 1) {
            buffer[length] = kept[at];
            at += 1;
            if (buffer[length] != '\\' or at == kept.len) continue;
            buffer[length] = switch (kept[at]) {
                'b' => 0x08,
                'f' => 0x0c,
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => control(kept[at + 1 ..]),
                else => kept[at],
            };
            at += if (kept[at] == 'u') @min(5, kept.len - at) else 1;
        }
        return buffer[0..length];
    }

    /// The host escapes control characters only.
    fn control(digits: []const u8) u8 {
        if (digits.len < 4) return '?';
        const unit = std.fmt.parseInt(u16, digits[0..4], 16) catch return '?';
        return if (unit < 0x80) @intCast(unit) else '?';
    }

    fn set(number: u32, bytes: []u8) Fault {
        allocator.free(kept);
        kept = bytes;
        status = number;
        const told: Fault = switch (number) {
            1 => error.Denied,
            2 => error.Unknown,
            3 => error.Invalid,
            4 => error.Failed,
            5 => error.TooLarge,
            6 => error.Closed,
            7 => error.TimedOut,
            else => error.Unexpected,
        };
        last = told;
        return told;
    }
};

/// The version of the ABI that the host speaks.
pub fn version() u32 {
    return host.version();
}

/// Calls a function of the host; what it takes and gives is JSON or bytes, as it says.
pub fn call(name: []const u8, input: []const u8) Error![]u8 {
    return answer(host.call(name.ptr, name.len, input.ptr, input.len));
}

/// Takes the next message of the channel; null once it is closed and empty.
pub fn receive(timeout_ms: i32) Error!?[]u8 {
    return answer(host.receive(timeout_ms)) catch |err| switch (err) {
        error.Closed => null,
        else => err,
    };
}

/// Sends a message to the channel; waits for room.
pub fn send(message: []const u8) Error!void {
    _ = try count(host.send(message.ptr, message.len));
}

/// Reads some bytes of the call's source; 0 at its end. An empty buffer is a fault.
pub fn read(buffer: []u8) Error!usize {
    return count(host.read(buffer.ptr, buffer.len));
}

/// Writes all of it to the call's sink; waits for room.
pub fn write(bytes: []const u8) Error!void {
    _ = try count(host.write(bytes.ptr, bytes.len));
}

/// Writes a line of the log.
pub fn log(level: Level, line: []const u8) void {
    host.log(@intFromEnum(level), line.ptr, line.len);
}

/// Says why the export that runs has failed; the host throws its reply away. The first reason
/// counts. A handler that returns an error does it by itself.
pub fn fail(reason: []const u8) void {
    host.fail(reason.ptr, reason.len);
}

/// What came of a request by HTTP.
pub const HttpAnswer = struct {
    /// Free it when you are done.
    bytes: []u8,
    /// JSON: `{"status":200,"headers":[["name","value"],…],"url":"…"}`; a part of `bytes`.
    header: []u8,
    /// The body; a part of `bytes`.
    body: []u8,
};

/// Asks the host for a resource by HTTP. The header is JSON:
/// `{"url":"…","method":"GET","headers":[["name","value"],…]}`.
pub fn http(header: []const u8, body: []const u8) Error!HttpAnswer {
    const request = try allocator.alloc(u8, 4 + header.len + body.len);
    defer allocator.free(request);
    std.mem.writeInt(u32, request[0..4], header.len, .little);
    @memcpy(request[4..][0..header.len], header);
    @memcpy(request[4 + header.len ..], body);
    const bytes = try call("http.request", request);
    errdefer allocator.free(bytes);
    if (bytes.len < 4) return fault.set(3, &.{});
    const length: usize = std.mem.readInt(u32, bytes[0..4], .little);
    if (length > bytes.len - 4) return fault.set(3, &.{});
    return .{ .bytes = bytes, .header = bytes[4..][0..length], .body = bytes[4 + length ..] };
}

/// Exports a function that takes a message and gives one.
pub fn handler(
    comptime name: []const u8,
    comptime function: fn (request: []const u8) anyerror![]const u8,
) void {
    const Export = struct {
        fn serve(request: ?[*]const u8, length: usize) callconv(.c) u64 {
            fault.last = null;
            const bytes: []const u8 = if (request) |pointer| pointer[0..length] else "";
            const reply = owned(function(bytes), bytes) catch |err| {
                failWith(err);
                return 0;
            };
            if (reply.len == 0) return 0;
            return @as(u64, @intFromPtr(reply.ptr)) << 32 | reply.len;
        }
    };
    @export(&Export.serve, .{ .name = name });
}

/// The host frees the request by itself, so that no part of that may go.
fn owned(reply: anyerror![]const u8, request: []const u8) anyerror![]const u8 {
    const bytes = try reply;
    const at = @intFromPtr(bytes.ptr);
    const start = @intFromPtr(request.ptr);
    if (bytes.len == 0 or at < start or at >= start + request.len) return bytes;
    return allocator.dupe(u8, bytes);
}

fn failWith(err: anyerror) void {
    var buffer: [512]u8 = undefined;
    if (fault.last) |last| {
        const message = fault.message(&buffer);
        if (err == last and message.len > 0) return fail(message);
    }
    fail(@errorName(err));
}

/// Memory for a request, or null if there is none.
export fn wasm_sandbox_alloc(size: usize) ?[*]u8 {
    const bytes = allocator.alloc(u8, @max(size, 1)) catch return null;
    return bytes.ptr;
}

/// Takes back a request or a reply.
export fn wasm_sandbox_free(pointer: ?[*]u8, length: usize) void {
    const bytes = pointer orelse return;
    allocator.free(bytes[0..@max(length, 1)]);
}

/// Tells the host which version of the ABI this module is made for; it is never called.
export fn wasm_sandbox_abi_1() void {}

/// Takes the answer that waits.
fn answer(result: u64) Error![]u8 {
    const status: u32 = @intCast(result >> 32);
    const length: u32 = @truncate(result);
    if (status == 0) return take(length);
    return fault.set(status, take(length) catch &.{});
}

/// What an i32 says; its fault's document is no longer than `fault_bytes`.
fn count(result: i32) Fault!usize {
    if (result >= 0) return @intCast(result);
    return fault.set(@abs(result), take(fault_bytes) catch &.{});
}

/// What waits, if there is memory for it; it is dropped otherwise.
fn take(length: usize) std.mem.Allocator.Error![]u8 {
    if (length == 0) return &.{};
    const bytes = allocator.alloc(u8, length) catch |err| {
        _ = host.take(null, 0);
        return err;
    };
    const taken = @min(host.take(bytes.ptr, length), length);
    if (taken == length) return bytes;
    // freed is what was allocated: its length must be known
    defer allocator.free(bytes);
    return allocator.dupe(u8, bytes[0..taken]);
}
