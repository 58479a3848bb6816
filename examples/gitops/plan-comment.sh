#!/bin/sh
# Says what a change of a site means, as a comment in Markdown: for a job of continuous integration.
#
#   plan-comment.sh SITE TARGET COMMENT
#
# SITE is the site's folder in the work tree, TARGET the revision the change is to be merged into (origin/main), COMMENT the
# file to write. ALLOW holds labels of the change; those like `allow:remove-domain` let that guard pass.
#
# Exit: 0 nothing stops the change; 1 the site has errors; 3 a guard stops it; 4 the environment failed; 64 wrong usage.
set -u
[ $# -eq 3 ] || { echo "usage: plan-comment.sh SITE TARGET COMMENT" >&2; exit 64; }
site=$1 target=$2 comment=$3

set --
for label in ${ALLOW:-}; do
    case $label in
    allow:*) set -- "$@" --allow "${label#allow:}" ;;
    esac
done

scratch=$(mktemp -d) || exit 4
trap 'rm -rf "$scratch"' EXIT
NO_COLOR=1 postkiln plan "$site" --against "$target" --markdown "$@" >"$scratch/plan" 2>"$scratch/said"
code=$?
cat "$scratch/said" >&2

fence() {
    printf '\n```\n'
    # Forges take comments of 65,536 characters, of which the plan may need 48 KiB.
    head -c 12000 "$scratch/said" | sed "s/\`\`\`/'''/g"
    [ "$(wc -c <"$scratch/said")" -le 12000 ] || printf '\n… (cut: all of it is in the log of the job)\n'
    printf '```\n'
}

{
    # By this line a later run finds its comment again.
    echo "<!-- postkiln plan: $site -->"
    case $code in
    0 | 2 | 3)
        cat "$scratch/plan"
        if [ -s "$scratch/said" ]; then
            printf '\n<details><summary>Warnings</summary>\n'
            fence
            printf '\n</details>\n'
        fi
        ;;
    1)
        echo "### The site has errors"
        fence
        ;;
    *)
        echo "### No plan could be made"
        fence
        ;;
    esac
    if [ $code -eq 3 ]; then
        printf '\n**Stopped by a guard.** When this is meant, put the label `allow:` and its name on the change.\n'
    fi
} >"$comment"

# Changes are what a change is for.
[ $code -eq 2 ] && code=0
exit $code
