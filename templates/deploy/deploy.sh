#!/bin/sh
# Deploys the current commit of the main branch. hookserver retries a failed run, so each step must be safe to repeat.
set -eu
cd "${DEPLOY_FOLDER:?Set DEPLOY_FOLDER in .env: the clone to update. This program discards local changes in it.}"
git fetch --quiet origin main
git reset --quiet --hard FETCH_HEAD
# Add your own steps here, for example: npm ci && npm run build
echo "deployed $(git rev-parse HEAD)"
