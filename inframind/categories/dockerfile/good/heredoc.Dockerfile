FROM node:22-alpine AS build
WORKDIR /site
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN <<EOF
set -e
npm run build
npm prune --omit=dev
EOF

FROM nginx:1.27-alpine
COPY --from=build /site/dist/ /usr/share/nginx/html/
COPY <<EOF /etc/nginx/conf.d/default.conf
server {
  listen 8080;
  root /usr/share/nginx/html;
}
EOF
USER nginx
EXPOSE 8080
