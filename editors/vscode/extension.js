"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const LANGUAGES = ["yaml", "json", "jsonc", "cloudformation"];
let client;

/** The client of a server that is started as the settings say. */
function connected() {
  const [command, ...args] = vscode.workspace.getConfiguration("trailguard").get("command");
  return new LanguageClient(
    "trailguard",
    "trailguard",
    { command, args },
    {
      documentSelector: [
        ...LANGUAGES.map((language) => ({ language })),
        { scheme: "file", pattern: "**/*.{template,cfn}" },
      ],
      synchronize: { configurationSection: "trailguard" },
      initializationOptions: { asks_for_reasons: true },
    },
  );
}

/** Asks why a finding is accepted, and writes the comment that says so above it. */
async function suppress(uri, line, comment) {
  const reason = await vscode.window.showInputBox({
    prompt: "Why is this finding accepted?",
    placeHolder: "such as: logs are kept by the central trail expires=2027-01-31",
    validateInput: (text) => (text.trim() ? null : "A reason is needed."),
  });
  if (!reason) {
    return;
  }
  const edit = new vscode.WorkspaceEdit();
  const text = comment.replace(/\s*$/, (end) => ` ${reason.trim()}${end}`);
  edit.insert(vscode.Uri.parse(uri), new vscode.Position(line, 0), text);
  await vscode.workspace.applyEdit(edit);
}

async function restart() {
  await client?.stop();
  client = connected();
  await client.start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("trailguard.restart", restart),
    vscode.commands.registerCommand("trailguard.suppress", suppress),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("trailguard.command")) {
        return restart();
      }
    }),
  );
  client = connected();
  await client.start();
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
