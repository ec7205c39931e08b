/* The fixtures of npm:@modelcontextprotocol/conformance, as one guest that describes itself. */

#include "text.h"

#define PNG \
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
#define WAV "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

WASM_SANDBOX_HANDLER(describe, request) {
  (void)request;
  return wasm_sandbox_copy_text(JSON({
    "tools": [
      {"name": "test_simple_text", "description": "Gives a text"},
      {"name": "test_image_content", "description": "Gives an image"},
      {"name": "test_audio_content", "description": "Gives a sound"},
      {"name": "test_embedded_resource", "description": "Gives a resource"},
      {"name": "test_multiple_content_types", "description": "Gives several things"},
      {"name": "test_tool_with_logging", "description": "Writes a log"},
      {"name": "test_error_handling", "description": "Fails"},
      {"name": "test_tool_with_progress", "description": "Tells of progress"},
      {
        "name": "test_sampling",
        "description": "Asks the client's model",
        "inputSchema": {
          "type": "object",
          "properties": {"prompt": {"type": "string", "description": "What to ask"}},
          "required": ["prompt"]
        }
      },
      {
        "name": "test_elicitation",
        "description": "Asks the client's user",
        "inputSchema": {
          "type": "object",
          "properties": {"message": {"type": "string", "description": "What to ask"}},
          "required": ["message"]
        }
      },
      {"name": "test_elicitation_sep1034_defaults", "description": "Asks with defaults"},
      {"name": "test_elicitation_sep1330_enums", "description": "Asks with choices"},
      {"name": "test_reconnection", "description": "Takes a while", "handler": "test_simple_text"},
      {
        "name": "json_schema_2020_12_tool",
        "description": "Has a schema with references",
        "handler": "test_simple_text",
        "inputSchema": {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "type": "object",
          "$defs": {
            "address": {
              "type": "object",
              "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
            }
          },
          "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
          "additionalProperties": false
        }
      },
      {"name": "touch", "description": "Changes the watched resource", "handler": "touch"}
    ],
    "resources": [
      {
        "uri": "test://static-text",
        "name": "static-text",
        "description": "A text",
        "mimeType": "text/plain",
        "text": "This is the content of the static text resource."
      },
      {
        "uri": "test://static-binary",
        "name": "static-binary",
        "description": "An image",
        "mimeType": "image/png",
        "handler": "read_binary"
      },
      {
        "uri": "test://watched-resource",
        "name": "watched-resource",
        "mimeType": "text/plain",
        "handler": "read_watched"
      }
    ],
    "resourceTemplates": [
      {
        "uriTemplate": "test://template/{id}/data",
        "name": "template",
        "mimeType": "application/json",
        "handler": "read_template",
        "complete": "complete"
      }
    ],
    "prompts": [
      {"name": "test_simple_prompt", "description": "A prompt"},
      {
        "name": "test_prompt_with_arguments",
        "description": "A prompt with arguments",
        "arguments": [
          {"name": "arg1", "description": "The first", "required": true},
          {"name": "arg2", "description": "The second", "required": true}
        ],
        "complete": "complete"
      },
      {
        "name": "test_prompt_with_embedded_resource",
        "description": "A prompt with a resource",
        "arguments": [{"name": "resourceUri", "description": "Which", "required": true}]
      },
      {"name": "test_prompt_with_image", "description": "A prompt with an image"}
    ]
  }));
}

WASM_SANDBOX_HANDLER(test_simple_text, request) {
  (void)request;
  return wasm_sandbox_copy_text(JSON("This is a simple text response for testing."));
}

WASM_SANDBOX_HANDLER(test_image_content, request) {
  (void)request;
  return wasm_sandbox_copy_text(
      "{\"content\":[{\"type\":\"image\",\"data\":\"" PNG "\",\"mimeType\":\"image/png\"}]}");
}

WASM_SANDBOX_HANDLER(test_audio_content, request) {
  (void)request;
  return wasm_sandbox_copy_text(
      "{\"content\":[{\"type\":\"audio\",\"data\":\"" WAV "\",\"mimeType\":\"audio/wav\"}]}");
}

WASM_SANDBOX_HANDLER(test_embedded_resource, request) {
  (void)request;
  return wasm_sandbox_copy_text(JSON({
    "content": [{
      "type": "resource",
      "resource": {
        "uri": "test://embedded-resource",
        "mimeType": "text/plain",
        "text": "This is an embedded resource content."
      }
    }]
  }));
}

WASM_SANDBOX_HANDLER(test_multiple_content_types, request) {
  (void)request;
  return wasm_sandbox_copy_text(
      "{\"content\":[{\"type\":\"text\",\"text\":\"Multiple content types test:\"},"
      "{\"type\":\"image\",\"data\":\"" PNG "\",\"mimeType\":\"image/png\"},"
      "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://mixed-content-resource\","
      "\"mimeType\":\"application/json\",\"text\":\"{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}\"}}]}");
}

static wasm_sandbox_answer tell(const char *name, const char *json) {
  return wasm_sandbox_call(name, json, wasm_sandbox_text_length(json));
}

WASM_SANDBOX_HANDLER(test_tool_with_logging, request) {
  static const char *const lines[] = {
    JSON({"level": "info", "logger": "tool", "data": "Tool execution started"}),
    JSON({"level": "info", "data": "Tool processing data"}),
    JSON({"level": "info", "data": {"text": "Tool execution completed"}})
  };
  (void)request;
  for (int i = 0; i < 3; i++) {
    wasm_sandbox_answer answer = tell("mcp.log", lines[i]);
    if (answer.status) return wasm_sandbox_refuse(answer);
    wasm_sandbox_release(answer.bytes);
  }
  return wasm_sandbox_copy_text(JSON("done"));
}

WASM_SANDBOX_HANDLER(test_tool_with_progress, request) {
  static const char *const steps[] = {
    JSON({"progress": 0, "total": 100, "message": "begun"}),
    JSON({"progress": 50, "total": 100}),
    JSON({"progress": 100, "total": 100})
  };
  (void)request;
  for (int i = 0; i < 3; i++) {
    wasm_sandbox_answer answer = tell("mcp.progress", steps[i]);
    if (answer.status) return wasm_sandbox_refuse(answer);
    wasm_sandbox_release(answer.bytes);
  }
  return wasm_sandbox_copy_text(JSON("done"));
}

WASM_SANDBOX_HANDLER(test_error_handling, request) {
  (void)request;
  wasm_sandbox_fail("This tool intentionally returns an error for testing");
  return wasm_sandbox_view(NULL, 0);
}

/** A text for the client, with what the host answered as a part of it. */
static wasm_sandbox_bytes said(const char *begin, wasm_sandbox_bytes text) {
  builder reply = start(text.length * 2 + 256);
  add(&reply, JSON({"content": [{"type": "text", "text": ));
  add(&reply, "\"");
  add(&reply, begin);
  for (uint32_t i = 0; i < text.length; i++) {
    if (text.data[i] == '"' || text.data[i] == '\\') add(&reply, "\\");
    add_bytes(&reply, text.data + i, 1);
  }
  add(&reply, "\"}]}");
  return built(reply);
}

WASM_SANDBOX_HANDLER(test_sampling, request) {
  builder ask = start(request.length + 256);
  wasm_sandbox_answer answer;
  add(&ask, "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"");
  wasm_sandbox_bytes prompt = member(request, "\"prompt\":\"");
  add_bytes(&ask, prompt.data, prompt.length);
  add(&ask, "\"}}],\"maxTokens\":100}");
  answer = wasm_sandbox_call("mcp.sample", ask.text, ask.length);
  if (answer.status) return wasm_sandbox_refuse(answer);
  return said("LLM response: ", member(answer.bytes, "\"text\":\""));
}

static wasm_sandbox_bytes elicit(const char *json, uint32_t length) {
  wasm_sandbox_answer answer = wasm_sandbox_call("mcp.elicit", json, length);
  if (answer.status) return wasm_sandbox_refuse(answer);
  return said("User response: ", answer.bytes);
}

WASM_SANDBOX_HANDLER(test_elicitation, request) {
  builder ask = start(request.length + 512);
  wasm_sandbox_bytes message = member(request, "\"message\":\"");
  add(&ask, "{\"message\":\"");
  add_bytes(&ask, message.data, message.length);
  add(&ask, "\",\"requestedSchema\":");
  add(&ask, JSON({
    "type": "object",
    "properties": {
      "username": {"type": "string", "description": "User's response"},
      "email": {"type": "string", "description": "User's email address"}
    },
    "required": ["username", "email"]
  }));
  add(&ask, "}");
  return elicit(ask.text, ask.length);
}

WASM_SANDBOX_HANDLER(test_elicitation_sep1034_defaults, request) {
  static const char ask[] = JSON({
    "message": "Please review",
    "requestedSchema": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {
          "type": "string",
          "enum": ["active", "inactive", "pending"],
          "default": "active"
        },
        "verified": {"type": "boolean", "default": true}
      },
      "required": []
    }
  });
  (void)request;
  return elicit(ask, sizeof ask - 1);
}

WASM_SANDBOX_HANDLER(test_elicitation_sep1330_enums, request) {
  static const char ask[] = JSON({
    "message": "Please choose",
    "requestedSchema": {
      "type": "object",
      "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {
          "type": "string",
          "oneOf": [
            {"const": "value1", "title": "First Option"},
            {"const": "value2", "title": "Second Option"},
            {"const": "value3", "title": "Third Option"}
          ]
        },
        "legacyEnum": {
          "type": "string",
          "enum": ["opt1", "opt2", "opt3"],
          "enumNames": ["Option One", "Option Two", "Option Three"]
        },
        "untitledMulti": {
          "type": "array",
          "items": {"type": "string", "enum": ["option1", "option2", "option3"]}
        },
        "titledMulti": {
          "type": "array",
          "items": {
            "anyOf": [
              {"const": "value1", "title": "First Choice"},
              {"const": "value2", "title": "Second Choice"},
              {"const": "value3", "title": "Third Choice"}
            ]
          }
        }
      },
      "required": []
    }
  });
  (void)request;
  return elicit(ask, sizeof ask - 1);
}

WASM_SANDBOX_HANDLER(touch, request) {
  (void)request;
  wasm_sandbox_answer answer =
      tell("mcp.notify_resource_updated", JSON({"uri": "test://watched-resource"}));
  if (answer.status) return wasm_sandbox_refuse(answer);
  return wasm_sandbox_copy_text(JSON("touched"));
}

WASM_SANDBOX_HANDLER(read_binary, request) {
  (void)request;
  return wasm_sandbox_copy_text("{\"blob\":\"" PNG "\"}");
}

WASM_SANDBOX_HANDLER(read_watched, request) {
  (void)request;
  return wasm_sandbox_copy_text(JSON("watched"));
}

WASM_SANDBOX_HANDLER(read_template, request) {
  wasm_sandbox_bytes id = member(request, "\"id\":\"");
  builder reply = start(id.length + 256);
  add(&reply, "{\"text\":\"{\\\"id\\\":\\\"");
  add_bytes(&reply, id.data, id.length);
  add(&reply, "\\\",\\\"templateTest\\\":true}\"}");
  return built(reply);
}

WASM_SANDBOX_HANDLER(complete, request) {
  (void)request;
  return wasm_sandbox_copy_text(JSON(["paris", "park", "party"]));
}

WASM_SANDBOX_HANDLER(test_simple_prompt, request) {
  (void)request;
  return wasm_sandbox_copy_text(JSON("This is a simple prompt for testing."));
}

WASM_SANDBOX_HANDLER(test_prompt_with_arguments, request) {
  wasm_sandbox_bytes first = member(request, "\"arg1\":\"");
  wasm_sandbox_bytes second = member(request, "\"arg2\":\"");
  builder reply = start(request.length + 256);
  add(&reply, "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"");
  add(&reply, "Prompt with arguments: arg1='");
  add_bytes(&reply, first.data, first.length);
  add(&reply, "', arg2='");
  add_bytes(&reply, second.data, second.length);
  add(&reply, "'\"}}]}");
  return built(reply);
}

WASM_SANDBOX_HANDLER(test_prompt_with_embedded_resource, request) {
  wasm_sandbox_bytes uri = member(request, "\"resourceUri\":\"");
  builder reply = start(request.length + 256);
  add(&reply, "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"resource\",\"resource\":{\"uri\":\"");
  add_bytes(&reply, uri.data, uri.length);
  add(&reply, "\",\"mimeType\":\"text/plain\",\"text\":\"Embedded resource content for testing.\"}}},"
              "{\"role\":\"user\",\"content\":\"Please process the embedded resource above.\"}]}");
  return built(reply);
}

WASM_SANDBOX_HANDLER(test_prompt_with_image, request) {
  (void)request;
  return wasm_sandbox_copy_text(
      "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"image\",\"data\":\"" PNG
      "\",\"mimeType\":\"image/png\"}},{\"role\":\"user\",\"content\":\"Please analyze the image "
      "above.\"}]}");
}
