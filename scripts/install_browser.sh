#!/bin/sh
# Browser tests drive Debian's Chromium, without a window, and look at Japanese text: install
# both where they are missing. On another system install Chromium and Noto Sans CJK by hand, and set
# HIIKI_TEST_CHROMIUM to the browser's path.
set -eu
if [ -n "${HIIKI_TEST_CHROMIUM:-}" ]; then exit 0; fi
missing=""
command -v chromium-headless-shell >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="$missing fonts-noto-cjk fontconfig"
fc-list 2>/dev/null | grep -qi 'noto.*emoji' || missing="$missing fonts-noto-color-emoji"
[ -z "$missing" ] && exit 0
run=""
[ "$(id -u)" = 0 ] || run="sudo"
if ! command -v apt-get >/dev/null 2>&1; then
  echo "please install:$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
# shellcheck disable=SC2086
$run apt-get install -y -qq --no-install-recommends $missing >/dev/null
